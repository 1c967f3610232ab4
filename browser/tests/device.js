// A device and the person who carries its code to a browser (RFC 8628). S48, SEC-039, SEC-152, SEC-155

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { looksRight, signIn, startWorld, within } from "../rig.js";

let world;
before(async () => (world = await startWorld()));
after(() => world?.close());

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";

async function post(path, form) {
  const reply = await fetch(`${world.issuer}${path}`, { method: "POST", body: new URLSearchParams(form) });
  return { status: reply.status, body: await reply.json() };
}

async function startDevice() {
  const started = await post("/device_authorization", { client_id: "demo-cli", scope: "openid photos:read" });
  assert.equal(started.status, 200, JSON.stringify(started.body));
  return started.body;
}

const poll = (device) => post("/token", { grant_type: GRANT, client_id: "demo-cli", device_code: device.device_code });

const looks = [
  ["light", {}],
  ["dark", { colorScheme: "dark" }],
  ["phone", { viewport: { width: 375, height: 667 } }],
  ["phone-dark-french", { viewport: { width: 320, height: 640 }, colorScheme: "dark", locale: "fr-FR" }],
];

for (const [look, options] of looks) {
  test(`a person types the code of their device and lets it in: ${look}`, async () => {
    await within(world, options, async (page) => {
      const device = await startDevice();
      assert.equal((await poll(device)).body.error, "authorization_pending");
      await page.goto(device.verification_uri);
      await looksRight(page, `device-${look}-1-sign-in`);
      await signIn(page);
      await looksRight(page, `device-${look}-2-code`);
      await page.fill("input[name=user_code]", "BCDF-GHJK");
      await page.click("button.enter");
      await page.waitForSelector(".alert");
      await looksRight(page, `device-${look}-3-wrong-code`);
      await page.fill("input[name=user_code]", device.user_code.toLowerCase().replace("-", " "));
      await page.click("button.enter");
      await page.waitForSelector("button.approve", { state: "visible" });
      assert.ok((await page.textContent(".phishing")).length > 100);
      await looksRight(page, `device-${look}-4-confirm`);
      await page.click("button.approve");
      await page.waitForSelector("h1");
      await looksRight(page, `device-${look}-5-connected`);
      const tokens = await poll(device);
      assert.equal(tokens.status, 200, JSON.stringify(tokens.body));
      assert.equal(tokens.body.scope, "openid photos:read");
    });
  });
}

test("without script, a link with the code is compared and answered, and a no reaches the device", async () => {
  await within(world, { javaScriptEnabled: false }, async (page) => {
    const device = await startDevice();
    await page.goto(device.verification_uri_complete);
    await signIn(page);
    assert.equal(await page.inputValue("input[name=user_code]"), device.user_code);
    await page.click("button.enter");
    await page.locator("button.deny").evaluate((button) => Promise.all(button.getAnimations().map((one) => one.finished)));
    await page.click("button.deny");
    assert.equal(await page.locator("h1").count(), 1);
    assert.equal((await poll(device)).body.error, "access_denied");
  });
});

test("a code in the link is shown beside the request to compare it", async () => {
  await within(world, {}, async (page) => {
    const device = await startDevice();
    await page.goto(device.verification_uri_complete);
    await signIn(page);
    await page.waitForSelector(".compare");
    await looksRight(page, "device-compare");
  });
});

test("a key held down and a fragment press nothing on the page of a device", async () => {
  await within(world, {}, async (page) => {
    const device = await startDevice();
    await page.goto(device.verification_uri);
    await signIn(page);
    await page.fill("input[name=user_code]", device.user_code);
    await page.click("button.enter");
    await page.waitForURL(/\/device\/confirm/);
    const address = page.url();
    for (const fragment of ["approve", "yes", "deny"]) {
      await page.goto(`${address}#${fragment}`, { waitUntil: "commit" });
      await page.keyboard.down("Enter");
      await page.keyboard.down("Space");
      await page.waitForSelector("button.approve", { state: "visible" });
      await page.keyboard.up("Enter");
      await page.keyboard.up("Space");
      assert.equal(await page.evaluate(() => document.activeElement.tagName), "BODY");
    }
    const late = await page.evaluate(() => {
      const { animationName, animationDuration } = getComputedStyle(document.querySelector("button.approve"));
      return [animationName, animationDuration];
    });
    assert.deepEqual(late, ["late", "0.5s"]);
    assert.equal((await poll(device)).body.error, "authorization_pending");
  });
});
