import type { Browser, BrowserContext } from "playwright-core";
import { audit } from "./axe";
import type { Check, Target } from "./page";
import { newPage, settled } from "./page";

/// The whole way in against a real server, with a virtual authenticator: the first operator by the one-time link, out, in
/// again by passkey; a second operator invited; the used link refused. Gives the first operator's session.
export async function passkeys(browser: Browser, target: Target, link: string, check: Check): Promise<Awaited<ReturnType<BrowserContext["storageState"]>>> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const { page, heard } = await newPage(context);
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  await cdp.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
  const url = new URL(link);
  const welcome = `${target.base}${url.pathname}${url.hash}`;
  let invitation = "";

  await check("passkeys: the first operator comes in by the one-time link", async () => {
    await page.goto(welcome);
    await settled(page);
    await audit(page);
    if (new URL(page.url()).hash !== "") throw new Error("The secret stays in the address bar.");
    await page.getByLabel(/^Your name/).fill("First Operator");
    await page.getByRole("button", { name: "Make my passkey" }).click();
    await page.getByRole("heading", { name: "Is the city safe right now?" }).waitFor({ timeout: 15_000 });
  });
  await check("passkeys: the link is used up", async () => {
    const other = await context.newPage();
    await other.goto(welcome);
    await other.getByText("Not with this link.").waitFor({ timeout: 10_000 });
    await other.close();
  });
  await check("passkeys: out, and in again with the passkey", async () => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in with passkey" }).click();
    await page.getByRole("heading", { name: "Is the city safe right now?" }).waitFor({ timeout: 15_000 });
  });
  await check("passkeys: a second operator is invited", async () => {
    await page.getByRole("link", { name: "Operators" }).click();
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByLabel("Name").fill("Second Operator");
    await page.getByRole("button", { name: "Make the link" }).click();
    invitation = (await page.locator("pre.code").first().innerText()).trim();
    if (!invitation.includes("/welcome#")) throw new Error(`The link is "${invitation}".`);
  });
  await check("console: a first model and a first device are made, and its enrolment commands are shown", async () => {
    await page.getByRole("link", { name: "Devices", exact: true }).click();
    for (const [device, model] of [["first-1", true], ["first.2", false]] as const) {
      if (!model) await page.getByRole("link", { name: "Devices", exact: true }).first().click();
      await page.getByRole("button", { name: "Add device" }).click();
      await page.getByLabel(/^Id \(/).fill(device);
      if (model) {
        await page.getByLabel("Id of the new model").fill("kwh-3");
        await page.getByLabel("Vendor").fill("Tidewater Instruments");
        await page.getByLabel(/^Hardware/).fill("kwh-3-revB");
      }
      await page.getByLabel(/^District/).fill("Harbour");
      await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
      await page.waitForURL(new RegExp(`/devices/${device}$`), { timeout: 15_000 });
    }
    // An address with a dot in it is still a page when it is opened anew.
    await page.reload();
    await page.getByRole("button", { name: "Make a one-time token" }).click();
    await page.locator("pre.code").first().waitFor({ timeout: 15_000 });
    await audit(page);
  });
  const second = await browser.newContext({ viewport: { width: 390, height: 844 } });
  await check("passkeys: the second operator comes in on a phone", async () => {
    const opened = await newPage(second);
    const other = await second.newCDPSession(opened.page);
    await other.send("WebAuthn.enable");
    await other.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
    const at = new URL(invitation);
    await opened.page.goto(`${target.base}${at.pathname}${at.hash}`);
    await settled(opened.page);
    await opened.page.getByRole("button", { name: "Make my passkey" }).click();
    await opened.page.getByRole("heading", { name: "Is the city safe right now?" }).waitFor({ timeout: 15_000 });
    if (opened.heard.length > 0) throw new Error(opened.heard.join("\n"));
  });
  await second.close();
  await check("passkeys: nothing was complained of on the way", async () => {
    // The used link is refused with a problem, which the browser notes as a failed request on the other page only.
    if (heard.length > 0) throw new Error(heard.join("\n"));
  });
  const state = await context.storageState();
  await context.close();
  return state;
}
