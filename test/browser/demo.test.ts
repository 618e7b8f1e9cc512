import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo } from '../../src/cli/demo.ts';
import { readConfig } from '../../src/config.ts';
import { fileAnchor } from '../../src/demo/page/file-anchor.ts';
import { start } from '../../src/main.ts';
import { findBarriers, findChromium, launchChromium } from './chromium.ts';

const executable = findChromium();
const IMAGES = resolve(import.meta.dirname, '../../docs/images');
const pictures = process.env.PITWALL_SCREENSHOTS === '1';
/** The slowest thing that is waited for here is a whole review. */
const REVIEW_MS = 60_000;

describe.skipIf(executable === null)('the page of the demo, in a browser (skipped where there is no chromium on the PATH)', () => {
  const leaving = new AbortController();
  const mistakes: string[] = [];
  let ended: Promise<number>;
  let address: string;
  let browser: Browser;
  let page: Page;
  let begun: number;

  beforeAll(async () => {
    begun = Date.now();
    address = await new Promise((found, failed) => {
      ended = demo(
        { once: false, format: 'text' },
        {
          start: (environment) => start(readConfig(environment)),
          out: () => {},
          err: (text) => {
            const told = /Watch it in a browser: (\S+)/.exec(text)?.[1];
            if (told) found(told);
          },
          env: { PATH: process.env.PATH },
          signal: leaving.signal,
        },
      );
      ended.then(() => failed(new Error('the demo ended early')), failed);
    });
    browser = await launchChromium(executable ?? '');
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
    page.setDefaultTimeout(20_000);
    page.on('console', (message) => message.type() === 'error' && mistakes.push(message.text()));
    page.on('pageerror', (error) => mistakes.push(String(error)));
  });

  afterAll(async () => {
    leaving.abort();
    await browser?.close();
    await ended;
  });

  const threads = () => page.locator('div.thread');
  const become = (name: string) => page.locator(`#part-${name}`).click();
  /** Marks the document, so that a reload would be seen. */
  const mark = () => page.evaluate('document.body.dataset.seen = "yes"');
  const isMarked = () => page.evaluate('document.body.dataset.seen === "yes"');

  it('shows the review as it comes, without a reload, within a minute of the start', async () => {
    await page.goto(address);
    await mark();
    expect(await threads().count()).toBe(0);
    await page.locator('li.review').waitFor({ timeout: REVIEW_MS });
    expect(Date.now() - begun).toBeLessThan(60_000);
    expect(await threads().count()).toBeGreaterThanOrEqual(8);
    await page.locator('#check-lines .check-success').waitFor({ timeout: REVIEW_MS });
    expect(await isMarked()).toBe(true);
    expect(await page.locator('#timeline').innerText()).toMatch(/Review completed in/);
    expect(await page.locator('.notice').innerText()).toMatch(/This GitHub is a double[\s\S]*The reviewer is scripted/);
  });

  it.each(['light', 'dark'] as const)('has no barrier that axe knows, in the %s theme, on any view', async (colorScheme) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const view of ['', '/files', '/checks']) {
      await page.goto(`${address}${view}`);
      expect(await findBarriers(page), `${colorScheme} ${view}`).toEqual([]);
    }
  });

  it('fits a phone: nothing is wider than 320 pixels', async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    for (const view of ['', '/files', '/checks']) {
      await page.goto(`${address}${view}`);
      expect(await page.evaluate('document.documentElement.scrollWidth'), view).toBeLessThanOrEqual(320);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  it.runIf(pictures)('is what the README shows', async () => {
    mkdirSync(IMAGES, { recursive: true });
    await page.setViewportSize({ width: 1280, height: 1300 });
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.goto(address);
    await page.locator('.live', { hasText: 'live' }).waitFor();
    await page.screenshot({ path: `${IMAGES}/demo-conversation.png`, animations: 'disabled' });
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    await page.goto(`${address}/files#${fileAnchor('src/label.ts')}`);
    await page.locator('.live', { hasText: 'live' }).waitFor();
    await page.screenshot({ path: `${IMAGES}/demo-files.png`, animations: 'disabled' });
  });

  it('takes a comment from the keyboard alone', async () => {
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.goto(address);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the pull request');
    await page.keyboard.press('Enter');
    const reached = new Set<string>();
    for (let step = 0; step < 200 && !reached.has('comment-body'); step++) {
      await page.keyboard.press('Tab');
      reached.add((await page.evaluate<string>('document.activeElement.id')) || '');
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).not.toBe('none');
    }
    expect([...reached]).toContain('comment-body');
    await page.keyboard.type('Thanks, **all** clear.');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('comment-send');
    await page.keyboard.press('Enter');
    await page.locator('#timeline > li', { hasText: 'Thanks, all clear.' }).waitFor();
    expect(await page.locator('#comment-body').inputValue()).toBe('');
  });

  it('lets the writer reply in a thread, and keeps what is half written elsewhere', async () => {
    await become('writer');
    await page.locator('#part-writer[aria-pressed=true]').waitFor();
    await mark();
    await page.locator('#comment-body').fill('half a sentence');
    const thread = threads().first();
    await thread.locator('summary').click();
    await thread.locator('textarea').fill('I will mend this one.');
    await thread.locator('button').click();
    await thread.locator('li.remark', { hasText: 'I will mend this one.' }).waitFor();
    expect(await thread.locator('li.remark').last().innerText()).toMatch(/colleague[\s\S]*Can write/);
    expect(await page.locator('#comment-body').inputValue()).toBe('half a sentence');
    expect(await isMarked()).toBe(true);
  });

  it('shows what a stranger commands, and that nothing obeys', async () => {
    await become('stranger');
    await page.locator('#part-stranger[aria-pressed=true]').waitFor();
    await page.locator('#comment-body').fill('/review');
    await page.locator('#comment-send').click();
    const said = page.locator('#timeline > li', { hasText: '/review' }).last();
    await said.locator('.reactions', { hasText: 'confused' }).waitFor();
    expect(await said.innerText()).toMatch(/passerby[\s\S]*No write permission/);
    await page.locator('#try-why-send').click();
    const refused = page.locator('#timeline > li', { hasText: '/why' }).last();
    await refused.waitFor();
    await page.locator('#push-send').click();
    const problem = page.locator('#try-push .problem');
    await problem.filter({ hasText: 'no write permission' }).waitFor();
    expect(await page.locator('.commit').count()).toBe(1);
  });

  it('shows the next commit when it is pushed, and what is outdated by it', async () => {
    await become('writer');
    await page.locator('#part-writer[aria-pressed=true]').waitFor();
    await mark();
    await page.locator('#push-send').click();
    await page.locator('.commit').nth(1).waitFor();
    expect(await page.locator('.commit').last().innerText()).toContain('bind the status');
    await threads().filter({ hasText: 'Outdated' }).first().waitFor();
    expect(await page.locator('#try-push').innerText()).toContain('Pushed');
    expect(await isMarked()).toBe(true);
  });

  it('reviews again for the writer, and the second pull request while one looks; the stranger has started nothing', async () => {
    await page.locator('#try-review-send').click();
    const asked = page.locator('#timeline > li', { hasText: '/review' }).last();
    await asked.locator('.reactions', { hasText: 'eyes' }).waitFor({ timeout: REVIEW_MS });
    expect(await asked.innerText()).toMatch(/colleague[\s\S]*eyes/);
    await page.locator('#open-send').click();
    await page.waitForURL('**/pull/2');
    await page.locator('li.review').waitFor({ timeout: REVIEW_MS });
    await page.goto(address);
    await page.locator('li.review').nth(1).waitFor({ timeout: REVIEW_MS });
    expect(await page.locator('li.review').count()).toBe(2);
    await page.goto(`${address}/checks`);
    expect(await page.locator('article[id^=check-]').count()).toBe(2);
    await page.goto(address);
    await page.locator('#try-why-send').click();
    await page.locator('#timeline > li', { hasText: 'passerby has no write permission' }).last().waitFor();
  });

  it('works without script: a form brings the page back with what was written', async () => {
    const plain = await browser.newPage({ javaScriptEnabled: false });
    await plain.goto(address);
    await plain.locator('#comment-body').fill('<script>document.title = "no"</script> from a plain form');
    await plain.locator('#comment-send').click();
    expect(plain.url()).toBe(address);
    expect(await plain.locator('#timeline').innerText()).toContain('<script>document.title = "no"</script> from a plain form');
    await plain.close();
  });

  it.each(['light', 'dark'] as const)(
    'has no barrier either with replies, reactions and outdated threads, in the %s theme',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const view of ['', '/files', '/checks']) {
        await page.goto(`${address}${view}`);
        for (const reply of await page.locator('details.reply summary').all()) await reply.click();
        expect(await findBarriers(page), `${colorScheme} ${view}`).toEqual([]);
      }
    },
  );

  it('lets one ask question after question, and end the conversation', async () => {
    await page.goto(address);
    const said = (words: string) => page.locator('#timeline > li', { hasText: words });
    await page.locator('#try-ask-send').click();
    await said('has answered and listens for comments').waitFor({ timeout: REVIEW_MS });
    for (const question of ['Is the retry safe?', 'And the cache?']) {
      await page.locator('#comment-body').fill(question);
      await page.locator('#comment-send').click();
      await said(`I read your comment ("${question}")`).waitFor({ timeout: REVIEW_MS });
    }
    await page.locator('#try-done-send').click();
    await said('Questions completed in').waitFor({ timeout: REVIEW_MS });
  });

  it('lets one press the buttons of a check: Post now, Retry and Cancel; the stranger sees none', async () => {
    await page.goto(address);
    const runs = page.locator('#check-lines > li').filter({ has: page.getByRole('link', { name: 'Review', exact: true }) });
    const before = await runs.count();
    await page.locator('#try-review-send').click();
    const own = page.locator('#check-lines button[value="post-now"]');
    await own.waitFor({ timeout: REVIEW_MS });
    await own.click();
    const retry = runs.first().locator('button[value="retry"]');
    await retry.waitFor({ timeout: REVIEW_MS });
    await retry.click();
    const cancel = page.locator('#check-lines button[value="cancel"]');
    await cancel.waitFor({ timeout: REVIEW_MS });
    await cancel.click();
    await page.locator('#check-lines > li', { hasText: 'cancelled by' }).waitFor({ timeout: REVIEW_MS });
    expect(await runs.count()).toBe(before + 2);
    await become('stranger');
    await page.locator('#part-stranger[aria-pressed=true]').waitFor();
    expect(await page.locator('#check-lines button').count()).toBe(0);
    await become('writer');
    await page.locator('#part-writer[aria-pressed=true]').waitFor();
  }, 120_000);

  it('broke no rule of its own policy and had no error in its script', () => {
    expect(mistakes.filter((text) => !/status of 403/.test(text))).toEqual([]);
  });
});
