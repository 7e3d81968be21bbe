// Draws the charts of the page. Colours and fonts come from the style sheet, so that light and
// dark need one spec; `ast` makes Vega interpret expressions instead of compiling them (no eval).
(() => {
  "use strict";
  const style = getComputedStyle(document.documentElement);
  const value = (key) => style.getPropertyValue(key).trim();
  const shapes = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"];
  // A chart may say which colour and shape each of its models has: those of its arm.
  const config = (slots) => {
    const ink = value("--ink"), soft = value("--soft"), line = value("--line");
    const font = value("--sans"), paper = value("--card");
    const colours = (slots ?? [0, 1, 2, 3, 4, 5, 6, 7]).map((at) => value(`--m${at}`));
    const marks = slots?.map((at) => shapes[at % shapes.length]) ?? shapes;
    return {
      background: "transparent",
      font,
      padding: { left: 2, right: 6, top: 6, bottom: 2 },
      view: { stroke: null },
      range: { category: colours, symbol: marks },
      axis: {
        labelColor: soft, titleColor: soft, gridColor: line, domain: false, ticks: false,
        labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400, titlePadding: 10,
        labelPadding: 6, labelLimit: 150,
      },
      axisX: { tickCount: 5 },
      axisY: { tickCount: 5 },
      axisBand: { grid: false, labelColor: ink, minExtent: 104, maxExtent: 150 },
      rule: { color: soft },
      text: { color: soft },
      style: {
        zero: { color: soft, strokeWidth: 1, opacity: 0.8 },
        note: { color: soft, fontSize: 11 },
        interval: { strokeWidth: 2, opacity: 0.65 },
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
      const options = { mode: "vega-lite", ast: true, actions: false, renderer: "svg" };
      window.vegaEmbed(box, spec, { ...options, config: config(spec.usermeta?.slots) }).catch((error) => {
        box.textContent = `This chart could not be drawn (${error.message}).`;
        console.error(error);
      });
    }
  };
  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
