// Draws the charts over their static pictures, makes tables sortable and opens what is folded on
// paper. Colours and fonts come from the style sheet, so that light and dark need one spec; `ast`
// makes Vega interpret expressions instead of compiling them (no eval).
(() => {
  "use strict";
  const style = getComputedStyle(document.documentElement);
  const value = (key) => style.getPropertyValue(key).trim();
  // Every chart names the colour and the shape of each of its series.
  const config = (marks) => {
    const ink = value("--ink"), soft = value("--soft"), line = value("--line");
    const font = value("--sans"), paper = value("--card");
    return {
      background: "transparent",
      font,
      padding: { left: 2, right: 6, top: 6, bottom: 2 },
      view: { stroke: null },
      range: {
        category: marks.map(([colour]) => value(`--${colour}`)),
        symbol: marks.map(([, shape]) => shape),
      },
      axis: {
        labelColor: soft, titleColor: soft, gridColor: line, domain: false, ticks: false,
        labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400, titlePadding: 10,
        labelPadding: 6, labelLimit: 150,
      },
      axisX: { tickCount: 5, labelFlush: false },
      axisY: { tickCount: 5 },
      axisBand: { grid: false, labelColor: ink, minExtent: 104, maxExtent: 150 },
      rule: { color: soft },
      text: { color: soft },
      style: {
        zero: { color: soft, strokeWidth: 1, opacity: 0.8 },
        note: { color: soft, fontSize: 11 },
        number: { color: ink, fontSize: 10.5 },
        interval: { strokeWidth: 2, opacity: 0.55 },
        whisker: { color: ink, strokeWidth: 1.2, opacity: 0.75 },
        dot: { filled: true, size: 85, opacity: 1, stroke: paper, strokeWidth: 1 },
        "small-dot": { filled: true, size: 26, opacity: 1 },
        bar: { cornerRadiusEnd: 2, opacity: 0.85 },
        curve: { strokeWidth: 2 },
      },
    };
  };
  const draw = () => {
    for (const box of document.querySelectorAll("[data-chart]")) {
      const spec = JSON.parse(document.getElementById(box.dataset.chart).textContent);
      const live = document.createElement("div");
      live.className = "live";
      box.querySelector(".live")?.remove();
      box.append(live);
      box.classList.add("drawn");
      const options = {
        mode: "vega-lite", ast: true, actions: false, renderer: "svg", defaultStyle: false,
        tooltip: { disableDefaultStyle: true }, config: config(spec.usermeta.marks),
      };
      window.vegaEmbed(live, spec, options).catch((error) => {
        live.remove();  // the static picture is shown again
        box.classList.remove("drawn");
        console.error(error);
      });
    }
  };
  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  // A click on a head sorts by its column, a second one the other way round; empty cells come last.
  const sortBy = (table, head, heads) => {
    const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const first = head.dataset.sort === "number" && !head.hasAttribute("aria-sort") ? -1 : down;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", first > 0 ? "ascending" : "descending");
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [row.cells[head.cellIndex].dataset.value ?? "", row]);
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    keyed.sort(([a], [b]) => {
      if (a === "" || b === "") return (a === "") - (b === "");
      return first * (head.dataset.sort === "number" ? a - b : compare(a, b));
    });
    body.append(...keyed.map(([, row]) => row));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.querySelectorAll("th[data-sort]")];
    for (const head of heads) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sortBy(table, head, heads));
      head.append(button);
    }
  }

  // Paper has nothing to click on: open what is folded, and close it again afterwards.
  let opened = [];
  window.matchMedia("print").addEventListener("change", ({ matches }) => {
    if (matches) opened = [...document.querySelectorAll("details.fold:not([open]), details.warning:not([open])")];
    for (const fold of opened) fold.open = matches;
  });
})();
