import { expect, test } from "vitest";
import { pieces } from "./untrusted";

test("leaves ordinary text alone, in any script", () => {
  expect(pieces("voltage 231 V, Zähler läuft, 電圧 正常")).toEqual([{ text: "voltage 231 V, Zähler läuft, 電圧 正常", control: false }]);
});
test("shows escape sequences and line breaks instead of obeying them", () => {
  expect(pieces("ok\r\n\u001b[31m").map((p) => p.text)).toEqual(["ok", "\\r", "\\n", "\\x1b", "[31m"]);
});
test("shows bidirectional overrides and zero-width characters by their numbers", () => {
  expect(pieces("a\u202eb\u200bc").map((p) => p.text)).toEqual(["a", "U+202E", "b", "U+200B", "c"]);
});
test("keeps markup as the characters it is made of", () => {
  expect(pieces("<img src=x onerror=alert(1)>")).toEqual([{ text: "<img src=x onerror=alert(1)>", control: false }]);
});
