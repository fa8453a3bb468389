/* Mounts the charts of the page from the JSON that the server wrote beside each, and again whenever that changes.
   The figure names colours as CSS variables; here they become the colours of the theme on screen, or of paper. */
"use strict";

(() => {
  const LANE_PX = 20;
  const LANES = 5;
  const LABEL_GAP_PX = 7;
  const LABEL_FONT_PX = 12;
  const PAPER_WIDTH_PX = 676;
  const PAPER_HEIGHT_PX = 430;
  const STILL = { displayModeBar: false, doubleClick: false, scrollZoom: false, showTips: false, showLink: false };

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const pen = document.createElement("canvas").getContext("2d");
  /* What is mounted where: {text, width} of each place. */
  const mounted = new WeakMap();

  function resolver(onPaper) {
    const probe = document.createElement("span");
    probe.hidden = true;
    probe.className = onPaper ? "on-paper" : "";
    document.body.append(probe);
    const known = new Map();
    const colour = (name) => {
      if (!known.has(name)) {
        probe.style.color = `var(${name})`;
        known.set(name, getComputedStyle(probe).color);
      }
      return known.get(name);
    };
    return { colour, done: () => probe.remove() };
  }

  function painted(value, colour) {
    if (typeof value === "string") {
      const variable = /^var\((--[a-z0-9-]+)\)$/.exec(value);
      return variable ? colour(variable[1]) : value;
    }
    if (Array.isArray(value)) {
      // Long rows of numbers and dates hold no colours.
      return value.length > 16 ? value : value.map((item) => painted(item, colour));
    }
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item, colour)]));
    }
    return value;
  }

  /* plotly.js reads texts as a little HTML, links included; what people wrote in a plan is text. */
  const literal = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

  /* Gives every mark the highest lane in which its label meets no other label and no other mark's line. A line ends
     at its own lane, so only lines of higher lanes can cross a label. Without a free lane the short text is tried, and
     then the mark keeps its line alone: its row among the next events names it. */
  function placed(marks, widthPx, family) {
    pen.font = `500 ${LABEL_FONT_PX}px ${family}`;
    const done = [];
    for (const mark of marks) {
      done.push(place(mark, done, widthPx));
    }
    return done;
  }

  function place(mark, done, widthPx) {
    const x = mark.at * widthPx;
    for (const text of [mark.text, mark.short]) {
      const length = pen.measureText(text).width + LABEL_GAP_PX * 2;
      for (let lane = 0; lane < LANES; lane += 1) {
        for (const toLeft of x + length <= widthPx ? [false, true] : [true]) {
          const from = toLeft ? x - length : x;
          const to = from + length;
          const fits = from >= -LANE_PX * 2 && done.every((other) => {
            const labelsMeet = other.lane === lane && other.text && from < other.to && other.from < to;
            const otherLineCrosses = other.lane < lane && other.x > from - 2 && other.x < to + 2;
            const ownLineCrosses = other.lane > lane && other.text && x > other.from - 2 && x < other.to + 2;
            return !labelsMeet && !otherLineCrosses && !ownLineCrosses;
          });
          if (fits) {
            return { ...mark, text, x, from, to, lane, toLeft };
          }
        }
      }
    }
    return { ...mark, text: "", x, from: x, to: x, lane: LANES, toLeft: false };
  }

  function mount(place, { onPaper = false } = {}) {
    const source = document.getElementById(place.dataset.figure);
    if (!source || !window.Plotly) {
      return;
    }
    const text = source.textContent;
    const { colour, done } = resolver(onPaper);
    const figure = JSON.parse(text);
    const family = getComputedStyle(place).fontFamily;
    const width = onPaper ? PAPER_WIDTH_PX : place.clientWidth;
    const height = onPaper && place.id === "chart" ? PAPER_HEIGHT_PX : place.clientHeight;
    const narrow = width < 560;
    const layout = figure.layout;
    const marks = figure.marks;

    layout.font.family = family;
    layout.hoverlabel.font.family = family;
    layout.width = width;
    layout.height = height;
    layout.margin.l = narrow ? 58 : layout.margin.l;
    layout.margin.r = narrow ? (layout.yaxis2 ? 36 : 12) : layout.margin.r;
    const plotWidth = width - layout.margin.l - layout.margin.r;
    const labels = placed(marks, plotWidth, family);
    const lanes = Math.max(1, ...labels.filter((label) => label.text).map((label) => label.lane + 1));
    layout.margin.t = lanes * LANE_PX + 8;
    const plotHeight = height - layout.margin.t - layout.margin.b;
    const heightOf = (lane) => 1 + ((lanes - Math.min(lane, lanes)) * LANE_PX - LANE_PX / 2) / plotHeight;
    for (const label of labels) {
      layout.shapes.push({
        type: "line", layer: "above", xref: "x", yref: "paper", x0: label.x0, x1: label.x0,
        y0: 0, y1: label.text ? heightOf(label.lane) : 1,
        line: { color: label.colour, width: 1, dash: label.dash },
      });
      if (label.text) {
        layout.annotations.push({
          text: literal(label.text), showarrow: false, xref: "x", yref: "paper", x: label.x0, y: heightOf(label.lane),
          xanchor: label.toLeft ? "right" : "left", yanchor: "middle", xshift: label.toLeft ? -3 : 3,
          font: { color: label.colour, size: LABEL_FONT_PX, weight: 500 },
        });
      }
    }
    const before = mounted.get(place);
    const isUpdate = before && before.width === width && before.text !== text;
    if (isUpdate && !onPaper && !calm.matches && !document.hidden) {
      layout.transition = { duration: 350, easing: "cubic-in-out" };
    }
    window.Plotly.react(place, painted(figure.data, colour), painted(layout, colour), STILL);
    done();
    mounted.set(place, { text, width });
  }

  const places = () => document.querySelectorAll("[data-figure]");

  function remount({ evenIfSame = true } = {}) {
    for (const place of places()) {
      const source = document.getElementById(place.dataset.figure);
      const before = mounted.get(place);
      const isSame = before && before.text === source?.textContent && before.width === place.clientWidth;
      if (evenIfSame || !isSame) {
        mount(place);
      }
    }
  }

  document.addEventListener("htmx:after:swap", () => {
    remount({ evenIfSame: false });
    watchSize();
  });
  document.addEventListener("theme:chosen", () => remount());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => remount());
  window.addEventListener("beforeprint", () => places().forEach((place) => mount(place, { onPaper: true })));
  window.addEventListener("afterprint", () => remount());

  const sizes = new ResizeObserver(() => requestAnimationFrame(() => remount({ evenIfSame: false })));

  function watchSize() {
    sizes.disconnect();
    places().forEach((place) => sizes.observe(place));
  }

  remount();
  watchSize();
  document.fonts.ready.then(() => remount());
})();
