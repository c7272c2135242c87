import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

/// Debian's Chromium, which talks to nobody but the console.
export async function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing: install it (apt-get install chromium), or name another by CHROMIUM=.`);
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"] });
}
