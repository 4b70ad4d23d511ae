// Draws each chart of the page from the table beside it: who sees no chart has all of it in the table.
// A figure says what it is by data-chart (bars, line, shares) and data-unit (fen, count); a row's head is
// the name, with the link that a touch on its bar follows; a cell's data-value is a whole number.

const KINDS = { bars: "bar", line: "line", shares: "pie" };
const FEN = 100;
const WAN = 10_000;
const MANY_NAMES = 8; // beyond it, names stand beside the bars instead of below them

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const chinese = document.documentElement.lang.startsWith("zh");

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

/** A number as an axis shows it: yuan of fen, and ten thousands of what is large. */
export function short(value, unit) {
  const number = unit === "fen" ? value / FEN : value;
  if (Math.abs(number) < WAN) return number.toLocaleString(chinese ? "zh-CN" : "en", { maximumFractionDigits: 2 });
  const shown = chinese ? number / WAN : number / 1000;
  return shown.toLocaleString(chinese ? "zh-CN" : "en", { maximumFractionDigits: 1 }) + (chinese ? "万" : "k");
}

function whole(value, unit) {
  const options = unit === "fen" ? { style: "currency", currency: "CNY" } : {};
  return (unit === "fen" ? value / FEN : value).toLocaleString(chinese ? "zh-CN" : "en", options);
}

/** What ECharts is to draw. */
export function options(found, kind, unit) {
  const ink = css("--ink"), quiet = css("--quiet"), rule = css("--rule");
  const colours = [css("--series"), css("--series-below"), css("--good"), css("--warn"), css("--none")];
  const text = { color: quiet, fontFamily: css("--sans"), fontSize: 13 };
  const lying = kind === "bars" && found.names.length > MANY_NAMES;
  const names = { type: "category", data: found.names, inverse: lying, axisTick: { show: false }, axisLine: { lineStyle: { color: rule } }, axisLabel: { ...text, width: lying ? 110 : undefined, overflow: "truncate", hideOverlap: true } };
  const values = { type: "value", axisLabel: { ...text, formatter: (value) => short(value, unit), hideOverlap: true }, splitLine: { lineStyle: { color: rule } } };
  const common = { animation: false, color: colours, textStyle: { ...text, color: ink }, aria: { enabled: false } };
  if (kind === "shares") {
    const data = found.names.map((name, at) => ({ name, value: found.series[0].values[at] }));
    return { ...common, series: [{ type: "pie", radius: ["45%", "75%"], data, label: { ...text, formatter: "{b} {d}%" }, itemStyle: { borderColor: css("--paper"), borderWidth: 2 } }] };
  }
  return {
    ...common,
    grid: { left: 8, right: 16, top: 12, bottom: 8, containLabel: true },
    xAxis: lying ? values : names,
    yAxis: lying ? names : values,
    series: found.series.map((one, at) => ({
      type: KINDS[kind],
      name: one.name,
      data: one.values,
      barMaxWidth: 28,
      symbolSize: 5,
      lineStyle: { width: 2, type: at ? "dashed" : "solid" }, // told apart without colour, too
      label: { show: kind === "bars" && found.names.length <= MANY_NAMES && found.series.length === 1, position: "top", ...text, formatter: ({ value }) => short(value, unit) },
    })),
  };
}

function draw(figure, charts) {
  const place = figure.querySelector(".plot");
  const found = read(figure);
  if (!found.names.length) return;
  const { chart: kind, unit } = figure.dataset;
  place.hidden = false;
  if (kind === "bars" && found.names.length > MANY_NAMES) place.style.height = `${found.names.length * 26 + 50}px`;
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
