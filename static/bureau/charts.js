// Draws each chart of the page from the table beside it: who sees no chart has all of it in the table.
// A figure says what it is by data-chart (bars, line) and data-unit (fen, count); a row's head is
// the name, with the link that a touch on its bar follows; a cell's data-value is a whole number.

const FEN = 100;
const BAR = 34; // pixels from one lying bar to the next
const AXIS = 46; // and for what stands below them

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const language = document.documentElement.lang;

/** The table's names, links and series of whole numbers. */
export function read(figure) {
  const heads = [...figure.querySelectorAll("thead th")].slice(1);
  const rows = [...figure.querySelectorAll("tbody tr")];
  const drawn = heads.flatMap((head, at) => ("drawn" in head.dataset ? [at] : []));
  return {
    names: rows.map((row) => row.querySelector("th").textContent.trim()),
    links: rows.map((row) => row.querySelector("th a")?.href ?? ""),
    series: (drawn.length ? drawn : [0]).map((at) => ({
      name: heads[at].textContent.trim(),
      values: rows.map((row) => Number(row.querySelectorAll("td")[at].dataset.value)),
    })),
  };
}

/** A number as an axis shows it: yuan of fen, and what is large as the language shortens it. */
export function short(value, unit) {
  return (unit === "fen" ? value / FEN : value).toLocaleString(language, { notation: "compact", maximumFractionDigits: 1 });
}

function whole(value, unit) {
  const options = unit === "fen" ? { style: "currency", currency: "CNY" } : {};
  return (unit === "fen" ? value / FEN : value).toLocaleString(language, options);
}

/** What ECharts is to draw. */
export function options(found, kind, unit) {
  const ink = css("--ink"), quiet = css("--quiet"), rule = css("--rule");
  const colours = [css("--series"), css("--series-below")];
  const text = { color: quiet, fontFamily: css("--sans"), fontSize: 13 };
  const lying = kind === "bars"; // names are long
  const names = { type: "category", data: found.names, inverse: lying, axisTick: { show: false }, axisLine: { lineStyle: { color: rule } }, axisLabel: { ...text, width: lying ? Math.min(220, innerWidth / 3) : undefined, overflow: "truncate", hideOverlap: true } };
  const values = { type: "value", axisLabel: { ...text, formatter: (value) => short(value, unit), hideOverlap: true }, splitLine: { lineStyle: { color: rule } } };
  const common = { animation: false, color: colours, textStyle: { ...text, color: ink }, aria: { enabled: false } };
  return {
    ...common,
    grid: { left: 8, right: lying ? 72 : 16, top: 12, bottom: 8, containLabel: true },
    xAxis: lying ? values : names,
    yAxis: lying ? names : values,
    series: found.series.map((one, at) => ({
      type: lying ? "bar" : "line",
      name: one.name,
      data: one.values,
      barMaxWidth: 28,
      symbolSize: 5,
      lineStyle: { width: 2, type: at ? "dashed" : "solid" }, // told apart without colour, too
      label: { show: lying && found.series.length === 1, position: "right", ...text, formatter: ({ value }) => short(value, unit) },
    })),
  };
}

function draw(figure, charts) {
  const place = figure.querySelector(".plot");
  if (!figure.querySelector("tbody tr")) return; // nothing in these days
  const found = read(figure);
  const { chart: kind, unit } = figure.dataset;
  place.hidden = false;
  if (kind === "bars") place.style.height = `${found.names.length * BAR + AXIS}px`;
  const chart = charts.init(place, null, { renderer: "canvas" });
  const said = figure.querySelector(".pointed");
  const show = () => chart.setOption(options(found, kind, unit), true);
  show();
  chart.on("click", ({ dataIndex }) => found.links[dataIndex] && location.assign(found.links[dataIndex]));
  chart.on("mouseover", ({ dataIndex, seriesIndex }) => {
    if (said) said.textContent = `${found.names[dataIndex]} · ${whole(found.series[seriesIndex].values[dataIndex], unit)}`;
  });
  new ResizeObserver(() => chart.resize()).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
}

// The library is a script of its own, run before modules are; where it has not come, tables remain.
if (globalThis.echarts) {
  for (const figure of document.querySelectorAll("figure[data-chart]")) draw(figure, globalThis.echarts);
}
