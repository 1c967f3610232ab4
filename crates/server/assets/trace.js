// Keeps the trace fresh while it is watched. Without it, the page has a link that does the same.
(() => {
  const sheet = () => document.querySelector(".trace-sheet[data-revision]");
  if (!sheet()) return;
  const link = document.querySelector(".refresh a");
  let live = true;

  const button = document.createElement("button");
  button.type = "button";
  button.className = "live small";
  button.textContent = sheet().dataset.live;
  button.setAttribute("aria-pressed", "true");
  button.addEventListener("click", () => {
    live = !live;
    button.setAttribute("aria-pressed", String(live));
  });
  link.replaceWith(button);

  const look = async () => {
    if (!live || document.hidden || !getSelection().isCollapsed) return;
    if (sheet().contains(document.activeElement)) return;
    const reply = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
    if (!reply.ok) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const fresh = page.querySelector(".trace-sheet[data-revision]");
    if (!fresh || fresh.dataset.revision === sheet().dataset.revision) return;
    for (const shown of sheet().querySelectorAll("details[id]")) {
      const same = fresh.querySelector(`#${CSS.escape(shown.id)}`);
      if (same) same.open = shown.open;
    }
    sheet().replaceWith(document.adoptNode(fresh));
  };
  setInterval(() => look().catch(() => {}), 1500);
})();
