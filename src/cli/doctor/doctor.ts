import { type AppFacts, readAppFacts } from '../../github/app-facts.ts';
import { redactSecrets } from '../../github/secret.ts';
import { type AppManifest, parseAppManifest } from '../../workflow/app-manifest.ts';
import { readAppFile } from '../app-file.ts';
import type { Survey } from '../survey.ts';
import { judgeClock, judgeEvents, judgeInstallations, judgePermissions, judgeSignIn } from './app.ts';
import { type Check, type Finding, runChecks } from './check.ts';
import { checkEnvironment, checkSettings, judgeSecret, loadSettings } from './environment.ts';
import { checkDataFolder, checkDisk, checkGit, checkNode, checkRipgrep, checkSandbox } from './machine.ts';
import { checkModel } from './model.ts';
import { checkRedisServer } from './redis.ts';
import { judgeDeliveries, judgeHook, tryHook } from './webhook.ts';

/** What `pitwall doctor` is handed. `nodeVersion` is without the `v`; `patienceMs` is the time of each check, 5 s by default. */
export interface DoctorDeps {
  survey: Survey;
  nodeVersion: string;
  version: string;
  patienceMs?: number;
  out(text: string): void;
}

const PATIENCE_MS = 5_000;
const SHORTEST_SECRET = 8;
const DEFAULT_MODEL = 'claude-sonnet-4-6';

/** Looks at everything an installation needs and prints each finding with its fix. Answers 0, or 1 where something is broken. Shows no secret. */
export async function doctor({ format }: { format: 'text' | 'json' }, deps: DoctorDeps): Promise<number> {
  const findings = (await runChecks(await checksOf(deps), deps.patienceMs ?? PATIENCE_MS)).map((row) => withoutSecrets(row, deps.survey));
  deps.out(format === 'json' ? `${JSON.stringify({ findings, ...countOf(findings) }, null, 2)}\n` : asText(findings));
  return findings.some(({ status }) => status === 'broken') ? 1 : 0;
}

async function checksOf(deps: DoctorDeps): Promise<Check[]> {
  const { survey, nodeVersion } = deps;
  const machine = { nodeVersion, searchPath: survey.searchPath, dataDir: survey.dataDir };
  const settings = await loadSettings(survey);
  const model = settings instanceof Error ? DEFAULT_MODEL : (settings.settings?.models.default?.id ?? DEFAULT_MODEL);
  const { webhookSecret } = survey.app;
  return [
    checkNode(machine),
    checkGit(machine),
    checkRipgrep(machine),
    checkEnvironment(survey),
    checkSettings('settings', settings),
    ...(webhookSecret === null ? [] : [{ name: 'webhook secret', run: () => [judgeSecret(webhookSecret)] }]),
    ...checksOfApp(deps, parseAppManifest(await readAppFile())),
    checkRedisServer(survey),
    checkModel(survey, model),
    checkSandbox(machine),
    checkDisk(machine),
    checkDataFolder(machine),
  ];
}

/** What GitHub says of the App is asked once; the webhook's address is then tried with a time of its own. */
function checksOfApp({ survey, version, patienceMs = PATIENCE_MS }: DoctorDeps, wanted: AppManifest): Check[] {
  const { id, privateKey, webhookSecret, apiUrl } = survey.app;
  if (id === null || privateKey === null || apiUrl === null) return [];
  const asked = readAppFacts({ appId: id, privateKey, webhookSecret, apiUrl, version, signal: AbortSignal.timeout(patienceMs - 200) });
  const judged = (judge: (known: Extract<AppFacts, { state: 'known' }>) => Finding[]) => async (): Promise<Finding[]> => {
    const facts = await asked;
    return facts.state === 'known' ? judge(facts) : [];
  };
  const clock = async () => {
    const facts = await asked;
    return facts.state === 'away' ? [] : [judgeClock(facts.aheadMs)];
  };
  return [
    { name: 'GitHub', run: async () => [judgeSignIn(await asked, apiUrl)] },
    { name: 'clock', run: clock },
    { name: 'permissions', run: judged((facts) => [judgePermissions(facts, wanted)]) },
    { name: 'events', run: judged((facts) => [judgeEvents(facts, wanted)]) },
    { name: 'installations', run: judged(judgeInstallations) },
    { name: 'webhook', run: (signal) => checkHook(asked, signal) },
    { name: 'deliveries', run: judged((facts) => [judgeDeliveries(facts)]) },
  ];
}

async function checkHook(asked: Promise<AppFacts>, signal: AbortSignal): Promise<Finding[]> {
  const facts = await asked;
  if (facts.state !== 'known') return [];
  return [judgeHook(facts) ?? (await tryHook(facts, signal))];
}

/** Texts of others may repeat what they were sent. What is shorter than any secret would only spoil words. */
function withoutSecrets(finding: Finding, { app, model, redis }: Survey): Finding {
  const known = [app.privateKey, app.webhookSecret, model.apiKey, passwordOf(redis.url)];
  const secrets = known.flatMap((one) => (one !== null && one.length >= SHORTEST_SECRET ? [one] : []));
  const clean = (text: string) => redactSecrets(secrets.reduce((result, secret) => result.replaceAll(secret, '[secret]'), text));
  return { ...finding, found: clean(finding.found), fix: finding.fix === null ? null : clean(finding.fix) };
}

function passwordOf(url: string | null): string | null {
  return url !== null && URL.canParse(url) ? decodeURIComponent(new URL(url).password) : null;
}

const SIGNS: Record<Finding['status'], string> = { ok: 'ok     ', warning: 'warning', broken: 'BROKEN ' };

function asText(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, status, found, fix }) => {
    const line = `${SIGNS[status]}  ${check.padEnd(width)}  ${found}`;
    return fix === null ? line : `${line}\n${' '.repeat(width + 11)}→ ${fix}`;
  });
  const { broken, warnings } = countOf(findings);
  return `${[...lines, '', `${broken} broken, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}, ${findings.length} looked at`].join('\n')}\n`;
}

function countOf(findings: Finding[]): { broken: number; warnings: number } {
  const count = (status: Finding['status']) => findings.filter((one) => one.status === status).length;
  return { broken: count('broken'), warnings: count('warning') };
}
