import { isCancel, text } from '@clack/prompts';

/** Asks a person at the terminal for the server's public address; null where there is none. */
export async function askPublicUrl(): Promise<string | null> {
  const given = await text({
    message: 'Under which public address will GitHub reach this server? (empty: none, deliveries are polled)',
    placeholder: 'https://pitwall.example.com',
    validate: (value) =>
      !value || /^https:\/\/\S+$/.test(value) ? undefined : 'An address begins with https://; leave it empty where there is none.',
  });
  if (isCancel(given)) throw new Error('Stopped; no file was written.');
  return given?.trim() || null;
}
