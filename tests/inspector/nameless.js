// What can be used or gone to and has no name to be read out.
() => [...document.querySelectorAll('a, button, input, select, textarea, table, [role=region], th')]
  .filter((each) => !(each.getAttribute('aria-label') || each.textContent.trim() || each.labels?.length))
  .map((each) => each.outerHTML.slice(0, 100))
