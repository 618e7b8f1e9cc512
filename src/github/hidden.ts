/** Characters that show nothing but can say something to a machine, or turn the order of what is shown. */
const INVISIBLE = new RegExp(
  [
    '[\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F-\\u009F]',
    '[\\u00AD\\u034F\\u061C\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F\\u200B\\u200E\\u200F\\u202A-\\u202E\\u2060-\\u206F\\u3164\\uFEFF\\uFFA0\\uFFF0-\\uFFFB]',
    '[\\u{1D173}-\\u{1D17A}\\u{E0000}-\\u{E0FFF}]',
    '[\\uE000\\uE001]',
    '[\\uFE00-\\uFE0D]',
    '(?<![\\p{Emoji}\\u20E3])[\\uFE0E\\uFE0F]',
    '(?<!\\p{Script=Arabic})\\u200C|\\u200C(?!\\p{Script=Arabic})',
    '(?<![\\p{Extended_Pictographic}\\uFE0F\\u{1F3FB}-\\u{1F3FF}])\\u200D|\\u200D(?!\\p{Extended_Pictographic})',
  ].join('|'),
  'gu',
);

/** Removes invisible characters; joiners stay where a script or an emoji needs them, tabs and line ends too. */
export function stripInvisible(text: string): string {
  return text.replace(INVISIBLE, '');
}

const NAMES = /&(commat|num|shy|zwj|zwnj|lrm|rlm|NoBreak|ZeroWidthSpace|ApplyFunction|af|InvisibleTimes|it|InvisibleComma|ic);/g;

/** Writes out the entities behind which `@`, `#`, letters or invisible characters can hide from a reader of the source. */
export function decodeEntities(text: string): string {
  const plain = text.replace(/&#(?:[xX]([0-9a-fA-F]{1,6})|(\d{1,7}));/g, (all, hex?: string, decimal?: string) => {
    const point = hex ? Number.parseInt(hex, 16) : Number(decimal);
    if (point > 0x10ffff) return all;
    const char = String.fromCodePoint(point);
    if (/[\w@#/.:-]/.test(char)) return char;
    return stripInvisible(char) === '' ? '' : all;
  });
  return plain.replace(NAMES, (_, name: string) => (name === 'commat' ? '@' : name === 'num' ? '#' : ''));
}
