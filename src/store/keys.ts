/** Every key of the store, in one place. */
export function makeKeys(prefix: string) {
  const key = (...parts: (string | number)[]) => [prefix, ...parts].join(':');
  return {
    prefix,
    journal: (id: string) => key('journal', id),
    aside: (id: string) => key('aside', id),
    blobs: (run: string) => key('run', run, 'blobs'),
    text: (digest: string) => key('text', digest),
    overlay: (run: string) => key('run', run, 'files'),
    draft: (run: string) => key('run', run, 'draft'),
    pads: (run: string) => key('run', run, 'pads'),
    padWrites: (run: string) => key('run', run, 'pad-writes'),
    batch: (run: string) => key('run', run, 'open'),
    settled: (run: string) => key('run', run, 'settled'),
    account: (id: string) => key('account', id),
    reserved: (id: string) => key('account', id, 'reserved'),
    starts: (id: string) => key('starts', id),
    effect: (id: string) => key('effect', id),
    statusPlace: (resource: string, workflow: string) => key('status', resource, workflow),
    queued: (resource: string) => key('queued', resource),
    lane: (resource: string) => key('lane', resource),
    mailbox: (run: string) => key('mailbox', run),
    arriving: (resource: string) => key('arriving', resource),
    taken: (resource: string) => key('taken', resource),
    amended: (resource: string) => key('amended', resource),
    sessions: (resource: string) => key('sessions', resource),
    rooms: () => key('rooms'),
    reread: () => key('reread'),
    memory: (repository: number, agent: string) => key('memory', repository, agent),
    memoryWrite: (call: string) => key('memory-write', call),
    decisions: (repository: number, resource: string) => key('decisions', repository, resource),
    approval: (resource: string) => key('approval', resource),
    claim: (kind: 'delivery' | 'body' | 'comment' | 'once', id: string) => key('claim', kind, id),
    deliveries: (reader: string, part: string) => key('deliveries', reader, part),
    expected: () => key('expected'),
    doubt: (effect: string) => key('doubt', effect),
    duty: (duty: string, part: 'holder' | 'begun') => key('duty', duty, part),
    writeLock: (installation: number) => key('writes', installation, 'lock'),
    writeTimes: (installation: number) => key('writes', installation, 'times'),
    writeBlock: (installation: number) => key('writes', installation, 'block'),
    cancel: (id: string) => key('cancel', id),
    cancelWord: () => key('cancelled'),
    runs: () => key('runs'),
    runsOf: (resource: string) => key('runs', resource),
    epoch: () => key('epoch'),
    lost: () => key('lost'),
    lostAt: () => key('lost', 'at'),
    pulse: () => key('pulse'),
  };
}

/** The names of all keys below one prefix. */
export type Keys = ReturnType<typeof makeKeys>;

/** The run that a journal belongs to: a delegation's id is `<run>~<number>`. */
export function runOf(id: string): string {
  return id.split('~')[0] ?? id;
}
