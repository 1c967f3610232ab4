// Requests that the client pushed, and answers that the browser posts. P-108, P-109, P-143, P-144, SEC-111, SEC-401

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { approve, asClient, authorizationRequest, looksRight, photograph, signIn, startWorld, within } from "../rig.js";

let world;
before(async () => (world = await startWorld()));
after(() => world?.close());

async function redeemed(code, verifier) {
  const tokens = await asClient(world, "/token", {
    grant_type: "authorization_code",
    code,
    redirect_uri: world.receiver.uri,
    code_verifier: verifier,
  });
  assert.equal(tokens.status, 200, JSON.stringify(tokens.body));
}

test("the answer is posted by itself, past whatever is in it", async () => {
  await within(world, {}, async (page) => {
    const state = "\"'><script>alert(1)</script>&amp;+%20\u202e";
    const request = authorizationRequest(world, { response_mode: "form_post", state });
    // The client answers the first time with nothing, so that the page stays and can be seen.
    let first;
    await page.route(world.receiver.uri, async (route) => {
      first = route.request().postData();
      await route.fulfill({ status: 204 });
    });
    await page.goto(request.url);
    await signIn(page);
    await approve(page);
    await page.waitForSelector("button.continue");
    for (let tries = 0; first === undefined && tries < 100; tries += 1) await page.waitForTimeout(50);
    assert.ok(first, "the script posted it");
    await photograph(page, "form-post-with-script");
    await page.unroute(world.receiver.uri);
    await page.click("button.continue");
    const answer = await world.receiver.answer();
    assert.deepEqual(Object.keys(answer.posted), ["code", "state", "iss"]);
    assert.equal(answer.posted.state, state);
    assert.equal(answer.posted.iss, world.issuer);
    assert.equal(answer.code, undefined, "nothing is in the address");
    assert.equal(answer.referer, undefined);
    await redeemed(answer.posted.code, request.verifier);
  });
});

test("without scripts its button posts it", async () => {
  for (const [options, name] of [
    [{ javaScriptEnabled: false }, "form-post-without-script"],
    [{ javaScriptEnabled: false, locale: "fr-FR", viewport: { width: 360, height: 640 } }, "form-post-french-phone"],
    [{ javaScriptEnabled: false, colorScheme: "dark" }, "form-post-dark"],
  ]) {
    await within(world, options, async (page) => {
      const request = authorizationRequest(world, { response_mode: "form_post.jwt" });
      await page.goto(request.url);
      await signIn(page);
      await approve(page);
      await page.waitForSelector("button.continue");
      await photograph(page, name);
      assert.equal(world.receiver.unread(), 0);
      await page.click("button.continue");
      const { posted } = await world.receiver.answer();
      assert.deepEqual(Object.keys(posted), ["response"]);
      const claims = JSON.parse(Buffer.from(posted.response.split(".")[1], "base64url"));
      assert.equal(claims.state, request.state);
      await redeemed(claims.code, request.verifier);
    });
  }
});

test("a refusal is posted too", async () => {
  await within(world, {}, async (page) => {
    const request = authorizationRequest(world, { response_mode: "form_post" });
    await page.goto(request.url);
    await page.click("button.cancel");
    const { posted } = await world.receiver.answer();
    assert.equal(posted.error, "access_denied");
    assert.equal(posted.state, request.state);
  });
});

test("a pushed request is opened twice, answered once, and then a page", async () => {
  await within(world, {}, async (page) => {
    const request = authorizationRequest(world);
    const pushed = await asClient(world, "/par", new URL(request.url).searchParams);
    assert.equal(pushed.status, 201);
    const url = new URL(`${world.issuer}/authorize`);
    url.searchParams.set("client_id", "demo-web");
    url.searchParams.set("request_uri", pushed.body.request_uri);
    await page.goto(url.href);
    await page.goto(url.href);
    await signIn(page);
    await approve(page);
    const answer = await world.receiver.answer();
    assert.equal(answer.state, request.state);
    await redeemed(answer.code, request.verifier);
    await page.goto(url.href);
    await looksRight(page, "pushed-request-used");
    assert.equal(world.receiver.unread(), 0);
  });
});
