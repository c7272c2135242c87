import type { Browser, Page } from "playwright-core";
import { audit } from "./axe";
import type { Check, Target } from "./page";
import { newPage, settled } from "./page";

/// Acts through the dialogs, as an operator would; against the made-up city only, for a real one it would be real.
export async function actions(browser: Browser, target: Target, check: Check): Promise<void> {
  for (const [size, width, height] of [["desktop", 1440, 900], ["phone", 390, 844]] as const) {
    const context = await browser.newContext({ viewport: { width, height }, hasTouch: size === "phone", isMobile: size === "phone" });
    const act = (name: string, path: string, body: (page: Page) => Promise<void>, refusal?: number) =>
      check(`${name}, ${size}`, async () => {
        const { page, heard } = await newPage(context);
        try {
          await page.goto(target.base + path);
          await settled(page);
          await body(page);
          const unexpected = refusal ? heard.filter((h) => !h.includes(`the server responded with a status of ${refusal}`)) : heard;
          if (unexpected.length > 0) throw new Error(unexpected.join("\n"));
        } finally {
          await page.close();
        }
      });
    const device = size === "desktop" ? "meter-0100" : "meter-0101";
    const confirm = async (page: Page, button: string, reason?: string) => {
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      await page.waitForFunction(() => !document.querySelector(".dialog .skel"));
      await audit(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) throw new Error(`The dialog makes the page ${wide} pixels wider than the screen.`);
      if (reason) await dialog.getByLabel(/^Why/).fill(reason);
      await dialog.getByRole("button", { name: button }).click();
      await dialog.waitFor({ state: "detached" });
    };

    await act("isolating a device says how many, which, until when and how to undo, and then does it", `/devices/${device}`, async (page) => {
      await page.getByRole("button", { name: "Isolate" }).click();
      const text = await page.getByRole("dialog").innerText();
      for (const word of ["How many", "Which", "Until", "To undo"]) if (!text.includes(word)) await page.getByText(word).first().waitFor({ timeout: 3000 });
      await confirm(page, "Isolate", "it behaves oddly");
      await page.getByText("Isolated: it reaches only what heals it.").waitFor();
    });
    await act("reinstating it takes that back", `/devices/${device}`, async (page) => {
      await page.getByRole("button", { name: "Reinstate" }).click();
      await confirm(page, "Reinstate 1 device", "checked on site");
      await page.getByRole("button", { name: "Isolate" }).waitFor();
    });
    await act("the reason is required", `/devices/${device}`, async (page) => {
      await page.getByRole("button", { name: "Suspend" }).click();
      const button = page.getByRole("dialog").getByRole("button", { name: "Suspend 1 device" });
      if (await button.isEnabled()) throw new Error("It can be suspended without a reason.");
    });
    await act("the stop switch stops, shows itself on every page, and releases", "/rollouts", async (page) => {
      await page.getByRole("button", { name: "Stop everything" }).click();
      await confirm(page, "Stop everything", "odd reports from the field");
      await page.locator(".stop-strip").waitFor();
      await audit(page);
      await page.getByRole("button", { name: "Let it go on" }).click();
      await confirm(page, "Let it go on", "false alarm");
      await page.locator(".stop-strip").waitFor({ state: "detached" });
    });
    await act("a device is added and its enrolment commands are shown", "/devices", async (page) => {
      await page.getByRole("button", { name: "Add device" }).click();
      await page.getByLabel(/^Id \(/).fill(`bench-${size}`);
      await confirm(page, "Add");
      await page.waitForURL(new RegExp(`bench-${size}`));
      await page.getByRole("button", { name: "Make a one-time token" }).click();
      await page.getByText("openssl").first().waitFor();
      await audit(page);
    });
    await act("a problem is shown as the server said it, with what to do", "/devices", async (page) => {
      await page.getByRole("button", { name: "Add device" }).click();
      await page.getByLabel(/^Id \(/).fill(`bench-${size}`);
      await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
      await page.getByText("The id is taken").waitFor();
      await audit(page);
    }, 409);
    await act("an import is checked before it is done, and says what was refused", "/devices", async (page) => {
      await page.getByRole("button", { name: "Import CSV" }).click();
      await page.getByLabel("CSV", { exact: true }).fill("id,model\na-1,kwh-3\na-2,kwh-9\n");
      await page.getByRole("button", { name: "Check only" }).click();
      await page.getByText("unknown model kwh-9").waitFor();
      await confirm(page, "Register 1 device");
    });
    for (const tab of ["Telemetry", "Logs", "Certificates", "Configuration", "Why refused"]) {
      await act(`the device's ${tab} stand up to axe`, `/devices/${device}`, async (page) => {
        await page.getByRole("tab", { name: tab }).click();
        // While one panel gives way to the next there are two.
        await page.locator('[role="tabpanel"]:not([inert])').waitFor();
        await page.locator('[role="tabpanel"][inert]').waitFor({ state: "detached" });
        await settled(page);
        await audit(page);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) throw new Error(`The page is ${wide} pixels wider than the screen.`);
      });
    }
    await act("a request that waits for a person is approved, with the key that it is about", "/certificates", async (page) => {
      if (size === "phone") {
        if ((await page.getByText("meter-0044", { exact: true }).count()) > 0) throw new Error("It was approved already, and still waits.");
        return;
      }
      await page.getByRole("row", { name: /meter-0044/ }).getByRole("button", { name: "Approve" }).click();
      await page.getByRole("dialog").getByText("the key 4c1f").waitFor();
      await confirm(page, "Approve 1 request", "known on site");
      await page.getByText("1 request waits for a person").waitFor();
    });
    await act("a product that nobody registered is named before it is approved", "/certificates", async (page) => {
      // The second size meets what the first has left.
      const open = () => page.getByRole("row", { name: /SN-2291/ }).getByRole("button", { name: "Approve" }).click();
      if (size !== "phone") {
        await open();
        const dialog = page.getByRole("dialog");
        await dialog.getByText("Which device is this product?").waitFor();
        await audit(page);
        await dialog.getByLabel(/^Device’s id/).fill("meter-0001");
        await dialog.getByLabel(/^Why/).fill("delivered today");
        await dialog.getByRole("button", { name: "Approve 1 request" }).click();
        await dialog.getByText("is registered already, with another model").waitFor();
        await audit(page);
        return;
      }
      await open();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("A device with this id is registered already").check();
      if ((await dialog.getByLabel("Model").count()) > 0) throw new Error("The model of a registered device is asked for.");
      await dialog.getByLabel("A device with this id is registered already").uncheck();
      await dialog.getByLabel("Model").selectOption("kwh-3");
      await dialog.getByLabel(/^District/).fill("north");
      await audit(page);
      const sent = page.waitForRequest((request) => request.url().endsWith("/enrolment-requests/rq-2/approve"));
      await confirm(page, "Approve 1 request", "delivered today");
      const body = (await sent).postDataJSON() as Record<string, unknown>;
      if (body.model !== "kwh-3" || "device" in body || JSON.stringify(body.labels) !== '{"district":"north"}') throw new Error(`What was sent is ${JSON.stringify(body)}.`);
      await page.getByText("waits for a person").waitFor({ state: "detached" });
    }, size === "phone" ? undefined : 400);
    await act("an ACME account is deactivated, with what becomes of its certificates", "/certificates", async (page) => {
      const row = page.getByRole("row", { name: /meter-0003.*5Qz0cWb3T1/ });
      await row.waitFor();
      if (size === "phone") {
        if ((await row.getByRole("button").count()) > 0) throw new Error("A deactivated account can be deactivated again.");
        return;
      }
      await row.getByRole("button", { name: "Deactivate" }).click();
      await page.getByRole("dialog").getByText("stay as they are; revoke them").waitFor();
      await audit(page);
      await confirm(page, "Deactivate 1 account", "the gateway was sold");
      await row.getByText("deactivated").waitFor();
    });
    await act("the registers of a failed attestation name the events that were measured otherwise", `/devices/${device}`, async (page) => {
      await page.getByRole("tab", { name: "Certificates" }).click();
      await page.getByText("was not expected").waitFor();
      await page.getByText("EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot (cfe1").waitFor();
      await audit(page);
    });
    await act("the picture of what ends can be read as a table, by day and by week", "/certificates", async (page) => {
      await page.getByText("As a table").click();
      await page.locator(".fc-table tbody tr").first().waitFor();
      await page.getByRole("button", { name: "A year" }).click();
      await page.waitForFunction(() => (document.querySelector(".forecast svg[role=img]")?.getAttribute("aria-label") ?? "").includes("weeks"));
      await audit(page);
    });
    await act("a device’s certificate is found, opened, and revoked with its consequence", "/certificates", async (page) => {
      await page.getByPlaceholder("Device id, or serial number").fill("meter-0002");
      await page.getByRole("button", { name: "Look" }).click();
      await page.waitForFunction(() => document.querySelectorAll('a[href^="/certificates/4f"]').length === 1);
      await page.locator('a[href^="/certificates/4f"]').click();
      await page.getByText("Does this certificate still count?").waitFor();
      await settled(page);
      await audit(page);
      await page.getByRole("button", { name: "Rotate" }).click();
      await page.getByRole("dialog").getByText("until then this one counts").waitFor();
      await confirm(page, "Rotate 1 certificate", "its model had a weak generator");
      await page.getByRole("button", { name: "Revoke" }).click();
      await page.getByRole("dialog").getByText("A revocation cannot be undone").waitFor();
      await confirm(page, "Revoke", "its key was lost");
    });
    await act("a device says why it was refused, with what to do", `/devices/${device}`, async (page) => {
      await page.getByRole("tab", { name: "Why refused" }).click();
      await page.getByText("somebody has a copy of its old key").waitFor();
      await page.getByText("it may have been another one").waitFor();
    });
    await act("hostile log lines are text, with their control characters visible", `/devices/${device}`, async (page) => {
      await page.getByRole("tab", { name: "Logs" }).click();
      await page.getByText("<img src=x onerror=alert(1)>").waitFor();
      const marks = await page.locator(".log .ctl").allInnerTexts();
      for (const mark of ["\\x1b", "\\r", "\\n", "U+202E", "U+200B"]) if (!marks.includes(mark)) throw new Error(`${mark} is not shown; shown are ${marks.join(" ")}.`);
      if ((await page.locator(".log img").count()) > 0) throw new Error("A log line became markup.");
    });
    await act("the chain is verified on demand", "/journal", async (page) => {
      await page.getByRole("button", { name: "Verify the chain" }).click();
      await page.getByText("is as it was written").waitFor();
    });
    await act("an invitation's link is shown once", "/operators", async (page) => {
      await page.getByRole("button", { name: "Invite" }).click();
      await page.getByLabel("Name").fill("Ines Okafor");
      await confirm(page, "Make the link");
      await page.getByText("/welcome#").waitFor();
      await audit(page);
    });
    await act("an incident is undone with its preview", "/incidents/inc-41", async (page) => {
      if ((await page.getByRole("button", { name: "Undo" }).count()) === 0) return;
      await page.getByRole("button", { name: "Undo" }).click();
      await page.getByText("becomes active again").waitFor();
      await confirm(page, "Undo", "the technician tested it");
    });
    await act("changes arrive by themselves, without a reload", "/", async (page) => {
      const before = await page.locator(".facts").innerText();
      await page.waitForFunction((was) => document.querySelector<HTMLElement>(".facts")?.innerText !== was, before, { timeout: 15_000 });
    });
    await act("dark, light and roomy are kept", "/", async (page) => {
      if (size === "phone") await page.getByRole("button", { name: "More pages and settings" }).click();
      await page.getByRole("button", { name: "Dark", exact: true }).first().click();
      await page.getByRole("button", { name: /Dense/ }).first().click();
      await page.reload();
      await settled(page);
      const kept = await page.evaluate(() => `${document.documentElement.dataset.theme} ${document.documentElement.dataset.density}`);
      if (kept !== "dark roomy") throw new Error(`Kept is "${kept}".`);
      await audit(page);
      await page.evaluate(() => localStorage.clear());
    });
    await context.close();
  }
}
