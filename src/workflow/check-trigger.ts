import { checkCondition, checkPattern } from './check-condition.ts';
import { cronFault } from './cron.ts';
import { at, isAbsent, itemsOf, type Place, textAt } from './place.ts';
import type { Remark } from './problem.ts';

/** Checks what a schema cannot see in triggers: what each event needs, schedules, conditions. */
export function checkTriggers(triggers: Place): Remark[] {
  const all = itemsOf(triggers);
  const scheduled = all.filter((trigger) => textAt(at(trigger, 'event')) === 'scheduled');
  const tooMany = scheduled.slice(1).map(({ path }): Remark => {
    return {
      severity: 'error',
      path,
      expected: 'at most one scheduled trigger in a workflow',
      found: 'another one',
      hint: 'put it into a workflow of its own',
    };
  });
  return [...all.flatMap(checkTrigger), ...tooMany, ...repeatedCommands(all)];
}

function checkTrigger(trigger: Place): Remark[] {
  const event = textAt(at(trigger, 'event'));
  return [
    ...checkEvent(at(trigger, 'event'), event),
    ...checkCommand(trigger, event),
    ...checkSchedule(trigger, event),
    ...checkCondition(at(trigger, 'conditions'), null),
    ...(isAbsent(at(trigger, 'customEvent')) ? [] : [unused(at(trigger, 'customEvent'), 'custom events are not supported')]),
  ];
}

function checkEvent(place: Place, event: string | null): Remark[] {
  const hints: Record<string, string> = {
    custom_event: 'custom_event is not supported: nothing on GitHub sends it; use a slash command (manual), a schedule or another event',
    slash_command: 'a slash command is the event "manual" with "slashCommand"',
  };
  const hint = event === null ? undefined : hints[event];
  return hint ? [{ severity: 'error', path: place.path, expected: 'an event that can happen here', hint }] : [];
}

function checkCommand(trigger: Place, event: string | null): Remark[] {
  const place = at(trigger, 'slashCommand');
  if (event === 'manual' && isAbsent(place)) {
    return [
      {
        severity: 'error',
        path: place.path,
        expected: '{ "command": "<name>" }, the slash command that starts it',
        hint: 'fill in the word that people shall comment, without the slash',
      },
    ];
  }
  if (event !== null && event !== 'manual' && !isAbsent(place)) return [unused(place, 'only "manual" has a slash command')];
  const command = textAt(at(place, 'command'));
  return command?.startsWith('/')
    ? [{ severity: 'warning', path: at(place, 'command').path, expected: 'the command without its slash', hint: 'the slash is ignored' }]
    : [];
}

function checkSchedule(trigger: Place, event: string | null): Remark[] {
  const place = at(trigger, 'schedule');
  if (event === 'scheduled' && isAbsent(place)) {
    return [
      {
        severity: 'error',
        path: place.path,
        expected: '{ "cronExpression": "<minute hour day month weekday>" }',
        hint: 'fill in when it shall run',
      },
    ];
  }
  if (event !== null && event !== 'scheduled' && !isAbsent(place)) return [unused(place, 'only "scheduled" has a schedule')];
  const cron = at(place, 'cronExpression');
  const text = textAt(cron);
  const fault = text === null ? null : cronFault(text);
  const selector = at(at(place, 'scheduleContextSettings'), 'repositorySelector');
  const faults: Remark[] =
    fault === null
      ? []
      : [{ severity: 'error', path: cron.path, expected: 'a cron expression of five fields, such as "0 4 * * 1"', found: fault }];
  return [...faults, ...checkPattern(at(selector, 'namePattern')), ...checkPattern(at(selector, 'excludePattern'))];
}

function repeatedCommands(triggers: Place[]): Remark[] {
  const seen = new Set<string>();
  return triggers.flatMap((trigger): Remark[] => {
    const place = at(at(trigger, 'slashCommand'), 'command');
    const command = textAt(place);
    if (command === null || !seen.has(command)) {
      if (command !== null) seen.add(command);
      return [];
    }
    return [{ severity: 'warning', path: place.path, expected: 'each command once', found: `/${command} again` }];
  });
}

function unused({ path }: Place, hint: string): Remark {
  return { severity: 'warning', path, of: 'key', expected: 'nothing here', found: 'a value that is not used', hint };
}
