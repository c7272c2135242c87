/// What devices wrote is shown as text, and what could deceive the reader's eye is made visible.

export interface Piece {
  readonly text: string;
  /// A stand-in for a character that would not show, or that would reorder what is shown.
  readonly control: boolean;
}

// C0 and C1 controls, soft hyphen, zero-width and bidirectional controls, line separators, variation selectors, tags,
// byte order mark, interlinear annotations.
// eslint-disable-next-line no-control-regex, no-misleading-character-class
const DECEIVING = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

export function pieces(text: string): Piece[] {
  const result: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(DECEIVING)) {
    if (match.index > end) result.push({ text: text.slice(end, match.index), control: false });
    result.push({ text: standIn(match[0]), control: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) result.push({ text: text.slice(end), control: false });
  return result;
}

function standIn(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x0a) return "\\n";
  if (code === 0x0d) return "\\r";
  if (code === 0x09) return "\\t";
  if (code < 0xa0) return `\\x${code.toString(16).padStart(2, "0")}`;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
