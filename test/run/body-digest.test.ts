import { expect, it } from 'vitest';
import { digestBody } from '../../src/run/body-digest.ts';

const DEEP = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;

it.each([
  ['spaces', '{"a":1,"b":[1,2]}', '{ "a": 1,\n "b": [1, 2] }'],
  ['the order of keys, at every depth', '{"a":{"x":1,"y":2},"b":0}', '{"b":0,"a":{"y":2,"x":1}}'],
  ['escapes', '{"a":"é\\u002f"}', '{"a":"\\u00e9/"}'],
  ['what no text can be written of again', DEEP, DEEP],
  ['what is no JSON', 'x', 'x'],
])('is the same in spite of %s', (_, one, other) => {
  expect(digestBody(one)).toBe(digestBody(other));
});

it.each([
  ['another value', '{"a":2}'],
  ['another order in a list', '{"a":[2,1]}'],
  ['a text for a number', '{"a":["1",2]}'],
])('differs by %s', (_, body) => {
  expect(digestBody(body)).not.toBe(digestBody('{"a":[1,2]}'));
});
