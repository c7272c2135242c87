/// Takes the README's pictures of the city that `holdfast demo` shows: `tsx e2e/pictures.ts <folder> <one-time link>`.
import { join } from "node:path";
import type { Page } from "playwright-core";
import { launch } from "./browser";
import { settled } from "./page";

const [folder, link] = process.argv.slice(2);
if (!folder || !link) throw new Error("Give the folder for the pictures and the one-time link of the demo.");
const base = new URL(link).origin;
const browser = await launch();
const way = await browser.newContext();
const page = await way.newPage();
const cdp = await way.newCDPSession(page);
await cdp.send("WebAuthn.enable");
await cdp.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
await page.goto(link);
await page.getByLabel(/^Your name/).fill("Ada");
await page.getByRole("button", { name: "Make my passkey" }).click();
await page.getByRole("heading", { name: "Is the city safe right now?" }).waitFor();
const storageState = await way.storageState();

const first = (find: (page: Page) => Promise<string | null>) => async (at: Page) => {
  const href = await find(at);
  if (!href) throw new Error("The demo's story has not come that far.");
  return href;
};
/// The newest rollout is the one that was rolled back; the incident with the most to show is the isolated meter's.
const rollout = first((at) => at.locator('a[href^="/rollouts/"]').first().getAttribute("href"));
const incident = first((at) => at.getByRole("link", { name: /Destination not allowed/ }).first().getAttribute("href"));

for (const [name, list, find, size, colorScheme] of [
  ["city-dark", "/", undefined, [1440, 900], "dark"],
  ["city-light", "/", undefined, [1440, 900], "light"],
  ["rollout", "/rollouts", rollout, [1440, 900], "light"],
  ["incident", "/incidents?scope=all", incident, [1440, 900], "dark"],
  ["phone", "/", undefined, [390, 844], "dark"],
] as const) {
  const [width, height] = size;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: width < 500 ? 2 : 1, storageState });
  const shown = await context.newPage();
  await shown.goto(base + list);
  await settled(shown);
  if (find) {
    await shown.goto(base + (await find(shown)));
    await settled(shown);
  }
  await shown.screenshot({ path: join(folder, `console-${name}.png`) });
  await context.close();
}
await browser.close();
