// The whole life of a grant as one person and one client see it. S11, S15, S45, S57

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  approve,
  asClient,
  authorizationRequest,
  looksRight,
  signIn,
  startWorld,
  within,
} from "../rig.js";

let world;
before(async () => (world = await startWorld()));
after(() => world?.close());

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

async function userinfo(accessToken) {
  const reply = await fetch(`${world.issuer}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } });
  const challenge = reply.headers.get("www-authenticate") ?? "";
  return { status: reply.status, challenge, body: reply.ok ? await reply.json() : undefined };
}

test("a person signs in and consents, and the client gets, renews and gives up its tokens", async () => {
  await within(world, {}, async (page) => {
    const request = authorizationRequest(world);
    await page.goto(request.url);
    await looksRight(page, "sign-in");
    await signIn(page);
    await looksRight(page, "consent");
    await approve(page);

    const answer = await world.receiver.answer();
    assert.equal(answer.state, request.state);
    assert.equal(answer.iss, world.issuer, "the answer names its issuer (RFC 9207)");
    assert.equal(answer.referer, undefined, "no page leaks the way it came (SEC-108)");

    const redeem = {
      grant_type: "authorization_code",
      code: answer.code,
      redirect_uri: world.receiver.uri,
      code_verifier: request.verifier,
    };
    const tokens = await asClient(world, "/token", redeem);
    assert.equal(tokens.status, 200, JSON.stringify(tokens.body));
    assert.equal(tokens.body.token_type, "Bearer");
    const identity = claims(tokens.body.id_token);
    assert.equal(identity.nonce, request.nonce);
    assert.equal(identity.aud, "demo-web");
    assert.equal(identity.iss, world.issuer);

    const person = await userinfo(tokens.body.access_token);
    assert.equal(person.status, 200);
    assert.equal(person.body.sub, identity.sub);
    assert.equal(person.body.given_name, "Alice");

    const renewed = await asClient(world, "/token", {
      grant_type: "refresh_token",
      refresh_token: tokens.body.refresh_token,
    });
    assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
    assert.equal((await userinfo(renewed.body.access_token)).status, 200);

    const refreshToken = renewed.body.refresh_token ?? tokens.body.refresh_token;
    assert.equal((await asClient(world, "/revoke", { token: refreshToken })).status, 200);
    const refused = await userinfo(renewed.body.access_token);
    assert.equal(refused.status, 401, "revoking the refresh token ends its access tokens");
    assert.match(refused.challenge, /error="invalid_token"/);
    const late = await asClient(world, "/token", { grant_type: "refresh_token", refresh_token: refreshToken });
    assert.deepEqual([late.status, late.body.error], [400, "invalid_grant"]);
  });
});

test("a code spent twice takes its tokens with it", async () => {
  await within(world, {}, async (page) => {
    const request = authorizationRequest(world);
    await page.goto(request.url);
    await signIn(page);
    await approve(page);
    const redeem = {
      grant_type: "authorization_code",
      code: (await world.receiver.answer()).code,
      redirect_uri: world.receiver.uri,
      code_verifier: request.verifier,
    };
    const first = await asClient(world, "/token", redeem);
    assert.equal(first.status, 200);
    const second = await asClient(world, "/token", redeem);
    assert.deepEqual([second.status, second.body.error], [400, "invalid_grant"]);
    assert.equal((await userinfo(first.body.access_token)).status, 401);
  });
});

test("whoever is signed in and has consented is not asked again, and prompt=none answers at once", async () => {
  await within(world, {}, async (page) => {
    const first = authorizationRequest(world);
    await page.goto(first.url);
    await signIn(page);
    await approve(page);
    assert.ok((await world.receiver.answer()).code);
    for (const more of [{ prompt: undefined }, { prompt: "none" }]) {
      const again = authorizationRequest(world, { scope: "openid profile email", ...more });
      await page.goto(again.url);
      const answer = await world.receiver.answer();
      assert.ok(answer.code, JSON.stringify(answer));
      assert.equal(answer.state, again.state);
    }
  });
  await within(world, {}, async (page) => {
    await page.goto(authorizationRequest(world, { prompt: "none" }).url);
    assert.equal((await world.receiver.answer()).error, "login_required");
  });
});

test("a redirection URI that is not registered ends on a page of ours", async () => {
  await within(world, {}, async (page) => {
    const reply = await page.goto(authorizationRequest(world, { redirect_uri: "https://evil.example/cb" }).url);
    assert.equal(reply.status(), 400);
    await looksRight(page, "refused");
    assert.equal(new URL(page.url()).origin, world.issuer);
    assert.ok((await page.textContent(".request-id")).length > 8);
    assert.equal(await page.locator("a[href*='evil.example']").count(), 0);
  });
});

test("signing out ends the session", async () => {
  await within(world, {}, async (page) => {
    const request = authorizationRequest(world);
    await page.goto(request.url);
    await signIn(page);
    await approve(page);
    await world.receiver.answer();
    await page.goto(`${world.issuer}/end-session`);
    await looksRight(page, "sign-out");
    await page.click("button.yes");
    await looksRight(page, "signed-out");
    await page.goto(authorizationRequest(world).url);
    assert.equal(await page.locator("input[name=password]").count(), 1, "a password is asked for again");
  });
});

test("the home page shows a command for every client", async () => {
  await within(world, {}, async (page) => {
    await page.goto(world.issuer);
    assert.ok((await page.locator(".command").count()) >= 3);
    await looksRight(page, "home");
  });
});

test("the trace explains what happened", async () => {
  await within(world, {}, async (page) => {
    await page.goto(`${world.issuer}/dev/trace`);
    await looksRight(page, "trace");
    const steps = page.locator(".step");
    assert.ok((await steps.count()) >= 5, "the flow's requests are there");
    const text = await page.textContent("main");
    for (const shown of ["/authorize", "/token", "/userinfo"]) assert.ok(text.includes(shown), `${shown} is shown`);
    assert.ok((await page.locator(".clause").count()) > 10, "checks name their clauses");
    assert.ok((await page.locator(".refusal").count()) >= 1, "what was refused says why");
    assert.ok(!text.includes("alice:") && !/jt[cr]_[A-Za-z0-9_-]{20}/.test(text), "no secret is shown");

    await page.locator(".step.refused a[href*='/dev/trace/']").first().click();
    await looksRight(page, "trace-detail");
    assert.ok((await page.locator(".checks li").count()) >= 1, "what held");
    assert.equal(await page.locator(".refusal .verdict").count(), 1, "what did not, with both values and the fix");
  });
});

test("every page can be photographed in the dark and on a small screen", async () => {
  for (const [name, options] of [
    ["dark", { colorScheme: "dark" }],
    ["phone", { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }],
  ]) {
    await within(world, options, async (page) => {
      await page.goto(world.issuer);
      await looksRight(page, `home-${name}`);
      await page.goto(authorizationRequest(world).url);
      await looksRight(page, `sign-in-${name}`);
      await signIn(page, { username: "bob", password: "bob" });
      await looksRight(page, `consent-${name}`);
      await page.goto(`${world.issuer}/dev/trace`);
      await looksRight(page, `trace-${name}`);
      await page.goto(`${world.issuer}/errors/token_unknown`);
      await looksRight(page, `errors-${name}`);
    });
  }
});
