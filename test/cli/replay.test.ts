import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { playTogether } from '../run/replay/recorded.ts';
import { House } from '../session/house.ts';
import { pitwall } from './terminal.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FIXTURE = join(ROOT, 'test/fixtures/runs/small-review.jsonl');

let house: House;
let run: string;
const dir = mkdtempSync(join(tmpdir(), 'pitwall-replay-'));
beforeAll(async () => {
  house = await House.open();
  run = await playTogether(house);
});
afterAll(async () => {
  await house.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Runs a command; without `redis` there is none, and no keys. */
function type(args: string[], { cwd = dir, redis = false } = {}) {
  const place: Record<string, string> = redis ? { PITWALL_REDIS_URL: inject('redisUrl'), PITWALL_REDIS_PREFIX: house.prefix } : {};
  return pitwall(args, { environment: { ...place, PITWALL_DATA_DIR: dir }, cwd });
}

const same = (count: number, delegations: number) =>
  `All ${count} entries of the run and ${delegations} delegations were derived again, the same as recorded.`;

describe('docs/replay.md', () => {
  const blocks = [
    ...readFileSync(join(ROOT, 'docs/replay.md'), 'utf8').matchAll(/```sh\npitwall (replay .+)\n```\n\n```text\n([\s\S]+?)```/g),
  ];

  it('shows what the commands in it print', async () => {
    expect(blocks).toHaveLength(2);
    for (const [, line = '', shown] of blocks) expect((await type(line.split(' '), { cwd: ROOT })).out, line).toBe(shown);
  });
});

describe('pitwall export', () => {
  it('writes a run to a new file that only its owner reads, and replay derives it from there without Redis', async () => {
    const exported = await type(['export', run], { redis: true });
    expect(exported).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining(`pitwall replay ${run}.jsonl derives them again`) as string,
    });
    expect(statSync(join(dir, `${run}.jsonl`)).mode & 0o777).toBe(0o600);
    const replayed = await type(['replay', `${run}.jsonl`]);
    expect(replayed).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/entries of the run and 2 delegations were derived again/) as string,
    });
    expect(await type(['replay', run], { redis: true })).toEqual(replayed);
    expect(await type(['export', run], { redis: true })).toMatchObject({
      code: 2,
      err: expect.stringContaining('name a new file with --out') as string,
    });
  });

  it('compresses where the name says so, prints with -, and leaves texts out with --redact', async () => {
    expect((await type(['export', run, '--out', 'small.jsonl.gz'], { redis: true })).code).toBe(0);
    expect(readFileSync(join(dir, 'small.jsonl.gz'))[0]).toBe(0x1f);
    expect((await type(['replay', 'small.jsonl.gz'])).code).toBe(0);
    const printed = await type(['export', run, '--out', '-', '--redact'], { redis: true });
    writeFileSync(join(dir, 'redacted.jsonl'), printed.out);
    expect(printed.out).not.toContain('You are an agent');
    expect(await type(['replay', 'redacted.jsonl'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('prompts were not compared') as string,
    });
  });

  it('of an unknown run says where to look', async () => {
    for (const command of ['export', 'replay'])
      expect(await type([command, 'rnone'], { redis: true })).toMatchObject({
        code: 1,
        err: expect.stringContaining('pitwall runs lists the runs there are') as string,
      });
  });
});

describe('pitwall replay', () => {
  const fixture = readFileSync(FIXTURE, 'utf8');
  const tampered = (from: string | RegExp, to: string) => {
    expect(fixture).toMatch(from);
    writeFileSync(join(dir, 'tampered.jsonl'), fixture.replace(from, to));
    return type(['replay', 'tampered.jsonl', '--ignore-prompts']);
  };

  it('names the first difference by entry, step and turn, with both sides', async () => {
    expect(await tampered('"label":"Review one file. [[review a.txt]]"', '"label":"Another"')).toMatchObject({
      code: 1,
      out: expect.stringMatching(
        /^The first difference is at entry \d+ of the run: delegation to Code Reviewer: Another \(step "review", turn 1, call 0\)\n {2}part {6}label\n {2}recorded {2}"Another"\n {2}derived {3}"Review one file\. \[\[review a\.txt\]\]"\nThe \d+ entries before it are the same\.\n/m,
      ) as string,
    });
  });

  it('tells the same as JSON', async () => {
    await tampered('"state":"Completed"', '"state":"Failed"');
    const { code, out } = await type(['replay', 'tampered.jsonl', '--format', 'json', '--ignore-prompts']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ same: false, ended: true, difference: { place: { step: 'clone' } } });
    const whole = JSON.parse((await type(['replay', FIXTURE, '--format', 'json', '--ignore-prompts'])).out) as object;
    expect(whole).toMatchObject({ same: true, ended: true, missing: [], difference: null });
  });

  it('says that only prompts differ, and how to leave them out', async () => {
    writeFileSync(join(dir, 'prompts.jsonl'), fixture.replace(/"system":"/, '"system":"Once upon a time. '));
    expect(await type(['replay', 'prompts.jsonl'])).toMatchObject({
      code: 1,
      out: expect.stringContaining('--ignore-prompts compares decisions alone') as string,
    });
    expect(await type(['replay', 'prompts.jsonl', '--ignore-prompts'])).toMatchObject({
      code: 0,
      out: expect.stringContaining(same(56, 3)) as string,
    });
  });

  it.each([
    ['nowhere.jsonl', 'there is no file nowhere.jsonl: pitwall export <run> writes one'],
    [join(ROOT, 'package.json'), 'package.json: the file is no exported run'],
  ])('of %s says what is wrong', async (source, message) => {
    expect(await type(['replay', source])).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) as string });
  });

  it('of a changed workflow with mistakes names them', async () => {
    writeFileSync(join(dir, 'broken.json'), '{"name":"x"}');
    expect(await type(['replay', FIXTURE, '--with', 'broken.json'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('has 2 mistakes') as string,
    });
    expect(await type(['replay', FIXTURE, '--with', 'none.json'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('give a workflow file with --with') as string,
    });
  });
});
