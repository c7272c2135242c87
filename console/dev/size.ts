/// Reports what the console costs a browser, and fails when it grows past what was promised.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT = 260 * 1024;
const dist = join(import.meta.dirname, "../dist");
const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((f) => statSync(join(dist, f)).isFile());
let code = 0;
let fonts = 0;
for (const file of files) {
  const bytes = readFileSync(join(dist, file));
  if (file.endsWith(".woff2")) fonts += bytes.length;
  else code += gzipSync(bytes, { level: 9 }).length;
}
const entry = files.filter((f) => /index-.*\.(js|css)$/.test(f)).reduce((sum, f) => sum + gzipSync(readFileSync(join(dist, f)), { level: 9 }).length, 0);
console.log(`console: ${(code / 1024).toFixed(0)} KiB gz in all (limit ${LIMIT / 1024}), ${(entry / 1024).toFixed(0)} KiB gz to the first page, ${(fonts / 1024).toFixed(0)} KiB of typefaces in ${files.length} files`);
if (code > LIMIT) {
  console.error("The console has grown past its limit.");
  process.exit(1);
}
