// Put at the end of a copy of the page: leaves what can be seen of it, as JSON, in <pre id="probe">.
"use strict";
(() => {
  const round = (r) => [r.left, r.top, r.right, r.bottom].map((v) => Math.round(v * 10) / 10);
  const seen = (e) => e.getClientRects().length > 0;
  const coordinates = (e) => (e.getAttribute("d") || e.getAttribute("points") || "").match(/-?[\d.]+,-?[\d.]+/g) || [];

  // Overlaps of pairs of rectangles, [text, [left, top, right, bottom]], by more than a pixel either way.
  const overlaps = (texts) => texts.flatMap(([a, p], i) => texts.slice(i + 1).filter(([, q]) =>
    Math.min(p[2], q[2]) - Math.max(p[0], q[0]) > 1 && Math.min(p[3], q[3]) - Math.max(p[1], q[1]) > 1).map(([b]) => [a, b]));

  // "rgb(1, 2, 3)" -> relative luminance.
  const luminance = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\)$|transparent/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };

  const plot = (svg) => {
    const box = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter((e) => e.textContent.trim());
    const placed = texts.map((e) => [e.textContent.trim(), round(e.getBoundingClientRect())]);
    return {
      width: box.width,
      texts: placed.map(([text]) => text),
      heights: placed.map(([, r]) => r[3] - r[1]),
      overlaps: overlaps(placed),
      outside: placed.filter(([, r]) => r[0] < box.left - 0.5 || r[1] < box.top - 0.5 || r[2] > box.right + 0.5 || r[3] > box.bottom + 0.5)
        .map(([text]) => text),
      pale: texts.filter((e) => contrast(getComputedStyle(e).fill, behind(svg.parentElement)) < 4.5).map((e) => e.textContent.trim()),
      series: [...svg.querySelectorAll("g.series")].map((g) => {
        const shapes = [...g.querySelectorAll("path, polygon, use")].filter(seen);
        const colours = shapes.map((e) => getComputedStyle(e)).flatMap((style) => [style.fill, style.stroke, style.color])
          .filter((colour) => colour.startsWith("rgb"));
        return {
          name: g.dataset.series,
          marks: g.querySelectorAll("use").length,
          corners: [...g.querySelectorAll("path, polygon")].flatMap(coordinates).length,
          shapes: g.querySelectorAll("polygon").length,
          contrast: Math.max(0, ...colours.map((colour) => contrast(colour, behind(svg.parentElement)))),
          outside: shapes.map((e) => round(e.getBoundingClientRect())).filter((r) => r[0] < box.left - 0.5 || r[1] < box.top - 0.5 ||
            r[2] > box.right + 0.5 || r[3] > box.bottom + 0.5).length,
        };
      }),
    };
  };

  // All texts of the page but those of plots, a line each.
  const lines = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!node.textContent.trim() || node.parentElement.closest("svg, script, style")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) lines.push([node.textContent.trim().slice(0, 40), round(r), node.parentElement]);
  }
  const wide = document.documentElement.clientWidth;
  const found = {
    width: wide,
    scrolls: document.documentElement.scrollWidth > wide,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    background: getComputedStyle(document.body).backgroundColor,
    overlaps: overlaps(lines),
    outside: lines.filter(([, r, e]) => !e.closest(".scroll") && (r[0] < 0 || r[2] > wide)).map(([text]) => text),
    boxes: [...document.querySelectorAll(".scroll")].filter((e) => round(e.getBoundingClientRect())[2] > wide).length,
    pale: lines.filter(([, , e]) => contrast(getComputedStyle(e).color, behind(e)) < 4.5).map(([text]) => text),
    missing: [...document.querySelectorAll("[src], link, script[src]")].length,
    plots: Object.fromEntries([...document.querySelectorAll("figure")].map((figure) =>
      [figure.id, [...figure.querySelectorAll("svg")].filter(seen).map(plot)])),
    captions: Object.fromEntries([...document.querySelectorAll("figure")].map((figure) =>
      [figure.id, figure.querySelector("figcaption").textContent])),
  };
  const pre = document.createElement("pre");
  pre.id = "probe";
  pre.textContent = JSON.stringify(found);
  document.body.replaceChildren(pre);
})();
