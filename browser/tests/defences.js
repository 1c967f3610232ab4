// What keeps one browser's business out of another's. SEC-014, SEC-150, SEC-108, SEC-403, SEC-404, SEC-405

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { approve, authorizationRequest, looksRight, signIn, startWorld, within } from "../rig.js";

let world;
before(async () => (world = await startWorld()));
after(() => world?.close());

test("a half-done flow is refused in another browser, and goes on in its own", async () => {
  await within(world, {}, async (page) => {
    const request = authorizationRequest(world);
    await page.goto(request.url);
    const signInUrl = page.url();
    const signInForm = await formOf(page);
    await signIn(page);
    await page.waitForSelector("button.approve");
    const consentUrl = page.url();
    const consentForm = await formOf(page);

    for (const attacker of [{}, { username: "bob", password: "bob" }]) {
      await within(world, {}, async (other) => {
        if (attacker.username) {
          await other.goto(authorizationRequest(world).url);
          await signIn(other, attacker);
          await other.waitForSelector("button.approve");
        }
        for (const url of [signInUrl, consentUrl]) {
          const reply = await other.goto(url);
          assert.ok(reply.status() >= 400, `${url} answered ${reply.status()}`);
          assert.equal(await other.locator("form").count(), 0, "nothing can be continued");
          assert.equal(await other.getByText("alice").count(), 0, "nothing is told about the person");
        }
        await looksRight(other, "another-browser");
        for (const [url, form] of [
          [signInUrl, { ...signInForm, username: "bob", password: "bob", "sign-in": "yes" }],
          [consentUrl, { ...consentForm, approve: "yes" }],
        ]) {
          const status = await postFrom(other, url, form);
          assert.ok(status >= 400, `a copied form was answered with ${status}`);
        }
      });
    }
    assert.equal(world.receiver.unread(), 0);
    await approve(page);
    assert.equal((await world.receiver.answer()).state, request.state);
  });
});

test("a form is only taken from our own pages and with its own token", async () => {
  await within(world, {}, async (page) => {
    await page.goto(authorizationRequest(world).url);
    const form = { ...(await formOf(page)), username: "alice", password: "alice", "sign-in": "yes" };
    assert.ok((await postFrom(page, page.url(), { ...form, csrf: "x".repeat(form.csrf.length) })) >= 400);
    const foreign = await page.request.post(page.url(), {
      form,
      headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      maxRedirects: 0,
    });
    assert.ok(foreign.status() >= 400, `a form of another origin was answered with ${foreign.status()}`);
    await signIn(page);
    await page.waitForSelector("button.approve");
  });
});

test("a page of another origin can show none of ours in a frame", async () => {
  await within(world, {}, async (page) => {
    const reply = await page.goto(authorizationRequest(world).url);
    assert.match(reply.headers()["content-security-policy"], /frame-ancestors 'none'/);
  });
});

test("cookies are out of reach of scripts and of other sites", async () => {
  await within(world, {}, async (page, context) => {
    await page.goto(authorizationRequest(world).url);
    const before = await context.cookies();
    await signIn(page);
    await page.waitForSelector("button.approve");
    const cookies = await context.cookies();
    assert.ok(cookies.length >= 2, "a browser and a session cookie");
    for (const cookie of cookies) {
      assert.ok(cookie.httpOnly, `${cookie.name} is HttpOnly`);
      assert.ok(["Lax", "Strict"].includes(cookie.sameSite), `${cookie.name} is ${cookie.sameSite}`);
      assert.equal(cookie.path, "/");
      assert.equal(cookie.domain, "localhost", "the cookie belongs to this host alone");
      if (cookie.name.endsWith("jeton-known")) {
        const days = (cookie.expires - Date.now() / 1000) / 86400;
        assert.ok(days > 364 && days <= 366, `${cookie.name} lasts a year`);
      } else {
        assert.equal(cookie.expires, -1, `${cookie.name} ends with the browser`);
      }
    }
    const session = cookies.filter((cookie) => !before.some((old) => old.value === cookie.value));
    assert.ok(session.length >= 1, "signing in gives new cookies (session fixation)");
    assert.equal(await page.evaluate(() => document.cookie), "");
  });
});

test("every page says what a browser may do with it", async () => {
  await within(world, {}, async (page) => {
    const replies = [];
    page.on("response", (response) => replies.push(response));
    await page.goto(authorizationRequest(world).url);
    await signIn(page);
    await page.waitForSelector("button.approve");
    await page.goto(world.issuer);
    await page.goto(`${world.issuer}/dev/trace`);
    const pages = replies.filter((reply) => (reply.headers()["content-type"] ?? "").startsWith("text/html"));
    assert.ok(pages.length >= 4);
    for (const reply of pages) {
      const headers = reply.headers();
      const policy = headers["content-security-policy"] ?? "";
      const at = new URL(reply.url()).pathname;
      assert.match(policy, /default-src 'none'/, at);
      assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/, at);
      assert.equal(headers["referrer-policy"], "no-referrer", at);
      assert.equal(headers["x-content-type-options"], "nosniff", at);
      assert.match(headers["cache-control"], /no-store/, at);
    }
    for (const reply of replies) {
      if (new URL(reply.url()).pathname.startsWith("/assets/")) {
        assert.match(reply.headers()["cache-control"], /immutable/, reply.url());
      }
    }
  });
});

/** The hidden fields of the page's form. */
function formOf(page) {
  return page.evaluate(() =>
    Object.fromEntries([...document.querySelectorAll("form input[type=hidden]")].map((field) => [field.name, field.value])),
  );
}

/** Posts a form with the cookies of `page`, as if one of our own pages had sent it. */
async function postFrom(page, url, form) {
  const headers = { origin: world.issuer, "sec-fetch-site": "same-origin" };
  const reply = await page.request.post(url, { form, headers, maxRedirects: 0 });
  return reply.status();
}
