### What people read, in English.

## On several pages
problem = Problem
address-bar = The address bar of this page must show
asked-by = Who is asking
who-asks = Who is asking
answer-goes-to = You return to
destination-loopback = a program on this device
destination-app = an app on this device
in-its-words = More about it
client-site = Website
client-policy = Privacy
client-terms = Terms
unverified = not verified
unverified-about = Nobody responsible for this server has checked this application. Its name and picture are only what it says about itself: trust the address above, not the name.
unverified-in-short = Nobody here has checked this application. Trust the address, not the name.
signed-in-as = Signed in as
demo-users = Try one of these users:
expected = Expected
found = Found
fix = How to fix

## Sign-in
sign-in-title = Sign in
sign-in-first = to continue to { $client }
sign-in-again = { $client } asks you to confirm that it is you.
sign-in-other-user = to continue to { $client } as somebody else
username = Username
password = Password
sign-in-button = Sign in
cancel-button = Cancel
problem-wrong-password = Username and password do not match.
    .next = Check both, and whether Caps Lock is on.
problem-throttled = Too many attempts.
    .next = For your safety this sign-in is paused. Wait a few minutes, then try again.
problem-expired = This page had been open for too long.
    .next = Nothing is lost. Sign in once more to go on.

## Consent
consent-title = Allow { $client } to use your account?
not-you = Not you?
consent-list = { $client } asks to
consent-resources = This access works at
consent-own-doing = Go on only if you have just started this at { $client } yourself.
consent-loopback = Never copy the address of the next page into another site or a chat.
approve-button = Allow
deny-button = Do not allow
scope-openid = Know that it is you
    .about = A lasting identifier, so that it recognises you next time.
scope-profile = See your profile
    .about = Your name, picture, language and similar details.
scope-email = See your email address
    .about = And whether it has been confirmed.
scope-phone = See your phone number
    .about = And whether it has been confirmed.
scope-address = See your postal address
    .about = The address in your profile.
scope-offline_access = Keep this access while you are away
    .about = { $client } can go on without asking you again, also after you sign out, until you withdraw it.
scope-unexplained = This application has given no explanation for it.
scope-always = Always included.

## Devices
sign-in-device = to connect a device
user-code-title = Connect a device
user-code-label = Code on the device
user-code-button = Go on
user-code-same = It is the same, go on
user-code-compare = This code came with the link. Compare it with the one your device shows, and go on only if they are the same.
user-code-where = Where is the code?
    .about = On the screen of the television, the printer or the terminal you are connecting: eight letters. If somebody sent you a code, do not enter it.
user-code-wrong = No device waits with this code.
    .next = Look at the device again: the code may have expired, and a new one is shown.
device-title = Connect { $client } on your device?
device-warning = Did you start this yourself, on a device in front of you?
    .about = If somebody sent you this code or link, by mail, in a chat or on the telephone, then it is their device, not yours, and they would get into your account. Then say no.
device-place = The device asked from
device-same-network = the same network as this browser
device-other-network = not the network of this browser
device-time = At
device-age = { $minutes ->
    [0] less than a minute ago
    [one] { $minutes } minute ago
   *[other] { $minutes } minutes ago
}
device-yes = Yes, connect it
device-no = No, I did not
device-approved-title = Your device is connected
device-approved-about = { $client } goes on by itself in a few seconds.
device-approved-next = You can close this page and go back to the device.
device-denied-title = Nothing was connected
device-denied-about = The device has been told no, and { $client } has got nothing.
device-denied-next = If you had not started this, somebody tried to get into your account: tell the people who run this server. You can close this page.
device-left-title = Nothing was connected
device-left-about = You did not sign in, so no device was looked for.
device-left-next = To start again, open the address that the device shows.

## Signing out
sign-out-title = Sign out?
sign-out-asked-by = { $client } asks to end your session.
sign-out-about = You will have to sign in again, here and in the applications that rely on this session.
sign-out-yes = Yes, sign out
sign-out-no = No, stay signed in
signed-out-title = You are signed out
signed-out-about = Your session on this server has ended.
signed-out-shared = On a shared computer, close the browser too.
still-in-title = You are still signed in
still-in-about = Nothing has changed. You can close this page.
back-to = Back to { $client }
back = Back to the application

## Failures
you-can-do = What you can do
for-developer = For the developer
request-id = Request
go-back-to = Go back to { $host }

form-post-title = You are sent back
form-post-about = The answer goes to { $host }. Press the button if nothing happens.
form-post-send = Continue
explained-title = What was checked
explained-trace = See this request in the trace

failure-generic = This cannot go on
    .what = Something about the request that brought you here is not right.
    .next = Go back to the application and start again. If it happens again, tell the people who run it, with the request number.
    .developer = The log of this server explains the request number above: the check that failed, both values and how to fix it.
failure-unregistered = The application is not known here
    .what = The link that brought you here is not one this server can answer. Either the application is not registered, or it wants the answer at an address that is not registered for it.
    .next = You have done nothing wrong and nothing was sent. Go back to the application; if it happens again, tell the people who run it, with the request number.
    .developer = Compare client_id and redirect_uri with the registration, character by character. The log of this server names the one that differs.
failure-invalid-request = The request is incomplete
    .what = The application sent a request that this server does not understand.
    .next = Go back to the application and start again. If it happens again, tell the people who run it, with the request number.
    .developer = The log of this server names the parameter and the rule for it.
failure-request-uri-invalid = The request is no longer valid
    .what = The application prepared a request that has expired, has been used already, or is not its own.
    .next = Go back to the application and start again.
    .developer = A pushed request works once, for the client that pushed it, and only for a short time.
failure-expired = This took too long
    .what = The page had been open for longer than a sign-in may take, or it has been finished already.
    .next = Go back to the application and start again. Nothing was lost.
    .developer = The interaction has ended. Start a new authorization request; do not keep links to these pages.
failure-wrong-browser = This sign-in began in another browser
    .what = For your safety, a sign-in is finished where it was started. This browser is not the one, or it does not accept cookies.
    .next = Go back to the browser you began with, or start again in this one. If somebody sent you the link to this page, close it.
    .developer = The cookie of the interaction is missing or belongs to another one. Links to these pages cannot be shared.
failure-foreign-form = The answer came from another site
    .what = This server only takes answers from its own pages.
    .next = Go back to the application and start again. If another site brought you here, do not trust it.
    .developer = The CSRF token or the Origin of the form does not match. A proxy that rewrites Origin or drops cookies does this too.
failure-device-not-waiting = The device no longer waits
    .what = Its request has been answered or has expired, or its code was entered in another browser.
    .next = Start again on the device. If it was not you who started it, there is nothing to do.
    .developer = A device is answered once, within its lifetime, by the session its user code was entered in.
failure-framed = This page does not work inside another
    .what = For your safety, signing in works only in a window of its own.
    .next = Open the application in its own window and start again.
    .developer = Redirect the whole window; do not put the authorization endpoint into a frame.
failure-throttled = Too many attempts
    .what = Too many requests came from your side in a short time.
    .next = Wait a few minutes, then try again.
    .developer = The limit is per user and per address. Look for a loop in the application.
failure-not-allowed = You have no access
    .what = The people who run this server have not opened this application to your account.
    .next = Ask them for access, with the request number, or use another account.
    .developer = A policy of this server refused the user. The log names it.
failure-sign-out = You could not be signed out from there
    .what = The application sent a request to sign you out that does not fit your session, or an address to return to that is not registered for it.
    .next = Sign out in the application itself, or close the browser.
    .developer = Compare id_token_hint, client_id and post_logout_redirect_uri with the registration.
failure-not-found = There is nothing here
    .what = This address belongs to no page of this server.
    .next = Check the address, or go back to where you came from.
    .developer = The endpoint addresses are in the discovery document.
failure-unavailable = Not available right now
    .what = This server cannot find out what it needs to know to go on safely.
    .next = Try again in a minute.
    .developer = A fault, not a refusal: the log of this server has the cause under the request number.
failure-server-error = Something broke on our side
    .what = It is not your fault, and nothing was sent to the application.
    .next = Try again. If it happens again, tell the people who run this server, with the request number.
    .developer = The log of this server has the cause under the request number.

## The front page
home-title = Running
home-running = Jeton is running.
home-about = This server signs people in and hands out tokens, by OAuth 2 and OpenID Connect. Applications send people here; there is nothing to do on this page.
home-issuer = Issuer
home-dev = A server for development: known users, known secrets, nothing is kept. Not for production.
home-try = Try it
home-try-about = Each command works as it stands.
home-trace = Then see what happened in the trace.
home-start = Sign in as a user would, with { $client }
home-endpoints = Endpoints
home-discovery = Discovery
home-discovery-about = Most libraries need only the issuer and find the rest here.
endpoint-authorization_endpoint = Sign people in
endpoint-token_endpoint = Get tokens
endpoint-introspection_endpoint = Ask about a token
endpoint-revocation_endpoint = Take a token back
endpoint-userinfo_endpoint = Ask about the user
endpoint-jwks_uri = Public keys
endpoint-pushed_authorization_request_endpoint = Push a request
endpoint-device_authorization_endpoint = Start on a device
endpoint-registration_endpoint = Register a client
endpoint-end_session_endpoint = Sign people out

## The trace
trace-title = Trace
trace-about = Every request this server saw, what it checked, and the rule behind each check.
trace-nav = Pages
home-link = Front page
trace-all = All requests
trace-refresh = Refresh
trace-live = Live
trace-empty = No request yet. Start a sign-in or run a command from the front page, and it will be drawn here.
trace-dev-only = Only a development server draws this page. Secrets are shortened.
trace-sent = Request
trace-answered = Answer
trace-before = The request before
trace-after = The next request
lane-browser = Browser
lane-client = Client
lane-api = API
checks-passed = { $count ->
    [one] { $count } check passed
   *[other] { $count } checks passed
}
outcome-passed = { $count ->
    [0] Answered.
    [one] { $count } check passed.
   *[other] { $count } checks passed.
}
outcome-refused = { $count ->
    [0] Refused at the first check.
    [one] Refused, after { $count } check had passed.
   *[other] Refused, after { $count } checks had passed.
}
outcome-fault = Not decided: something could not be found out.

# A rule, where error_uri leads
rule-one-of = One of these did not hold:
rule-which = The log of the server says which one it was, under the number of the request; the trace of a development server shows both values.

# The link for an administrator
admin-link-title = Choose a password
admin-link-lead = for the administrator { $username }
admin-link-password = New password
admin-link-too-short = A password has at least 12 characters.
admin-link-button = Set it and sign in
admin-link-once = This link works once
    .about = It was made on the server. If you did not expect it, close this page and tell whoever runs the server.
