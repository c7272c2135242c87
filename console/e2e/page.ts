/// What every part of the browser tests needs of a page.
import type { BrowserContext, Page } from "playwright-core";

export interface Target {
  readonly base: string;
  readonly mock: boolean;
}

export type Check = (name: string, body: () => Promise<void>) => Promise<void>;

/// What the browser complained of while a page was open; policy violations are console errors too, but are also counted
/// by their own event, which cannot be silenced.
export function complaints(page: Page): string[] {
  const heard: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") heard.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => heard.push(`exception: ${error.message}`));
  page.on("requestfailed", (request) => {
    // The stream of changes ends with its page.
    if (!request.url().includes("/stream") && request.failure()?.errorText !== "net::ERR_ABORTED") heard.push(`request failed: ${request.url()} ${request.failure()?.errorText}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(page.url() === "about:blank" ? request.url() : page.url()).origin)) heard.push(`request to elsewhere: ${request.url()}`);
  });
  return heard;
}

export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("load");
  await page.waitForFunction(() => document.querySelector("h1") !== null && !document.querySelector(".skel"), undefined, { timeout: 15_000 });
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  // Two frames, so that what is painted on a canvas is there.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(undefined)))));
}

export async function newPage(context: BrowserContext): Promise<{ page: Page; heard: string[] }> {
  const page = await context.newPage();
  const heard = complaints(page);
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`));
  });
  return { page, heard };
}
