#include "batch/report_html.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/number_text.hpp"

namespace chandler::batch {
namespace {

// Tables of more rows would make the page slow; their CSV file has all of them.
constexpr std::size_t kMostRows = 1000;

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--soft:#f4f5f7;--line:#d9dce1;--accent:#0072b2}
@media(prefers-color-scheme:dark){:root{--fg:#e4e7eb;--bg:#15181c;--soft:#20242a;--line:#363c44;--accent:#56b4e9}}
*{box-sizing:border-box}body{margin:0;font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
main,header,nav{max-width:1100px;margin:0 auto;padding:0 16px}header{padding-top:24px}h1{margin:0 0 4px}
nav{position:sticky;top:0;background:var(--bg);border-bottom:1px solid var(--line);padding:8px 16px;z-index:1}
nav a{display:inline-block;margin-right:14px;color:var(--accent);text-decoration:none;white-space:nowrap}
section{margin:28px 0;scroll-margin-top:56px}h2{margin:0 0 8px;font-size:20px}
figure{margin:0 0 16px;background:#fff;border:1px solid var(--line);border-radius:6px;overflow:auto}
figure svg{display:block;width:100%;height:auto}
.scroll{overflow:auto;max-height:70vh;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:4px 12px;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
th{position:sticky;top:0;background:var(--soft)}th button{all:unset;cursor:pointer;font-weight:600}
th button:focus-visible{outline:2px solid var(--accent)}
td.n,th.n{text-align:right}input{font:inherit;padding:4px 8px;margin:0 0 8px;border:1px solid var(--line);
border-radius:6px;background:var(--bg);color:var(--fg)}.note{color:#767c85;margin:6px 0 0}
)";

constexpr std::string_view kScript = R"(
for(const s of document.querySelectorAll('section[data-table]')){
const body=s.querySelector('tbody'),input=s.querySelector('input');
input.addEventListener('input',()=>{const q=input.value.toLowerCase();
for(const r of body.rows)r.hidden=!r.textContent.toLowerCase().includes(q)});
s.querySelectorAll('th button').forEach((b,i)=>{let up=false;b.addEventListener('click',()=>{up=!up;
const key=r=>{const t=r.cells[i].dataset.v??r.cells[i].textContent;return t!==''&&!isNaN(t)?+t:t};
const rows=[...body.rows].sort((x,y)=>{const a=key(x),c=key(y);return(a>c?1:a<c?-1:0)*(up?1:-1)});
body.append(...rows)})})}
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// What is shown is rounded and grouped; the exact value, by which the page sorts, is in data-v.
std::string html_cell(std::string_view column, const ReportCell& value) {
  const std::string text = escaped(cell_text(column, value));
  if (const auto* whole = std::get_if<std::int64_t>(&value))
    return fmt::format("<td class=n data-v=\"{}\">{}</td>", *whole, text);
  if (const auto* number = std::get_if<double>(&value))
    return fmt::format("<td class=n data-v=\"{}\">{}</td>", *number, text);
  return "<td>" + text + "</td>";
}

void add_table(std::string& page, const ReportTable& table) {
  page += fmt::format("<section id=\"{}\" data-table><h2>{}</h2>\n", table.name, escaped(table.title));
  if (table.rows.empty()) {
    page += "<input hidden><p class=note>None.</p><table><tbody></tbody></table></section>\n";
    return;
  }
  page += fmt::format(
      "<input type=search placeholder=\"Filter\" aria-label=\"Filter {}\"><div "
      "class=scroll><table><thead><tr>",
      escaped(table.title));
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    page += fmt::format("<th{}><button>{}</button></th>", is_numeric(table, i) ? " class=n" : "",
                        escaped(table.columns[i]));
  }
  page += "</tr></thead><tbody>\n";
  for (std::size_t r = 0; r < std::min(table.rows.size(), kMostRows); ++r) {
    page += "<tr>";
    const ReportRow row = table.rows[r];
    for (std::size_t i = 0; i < table.columns.size(); ++i) page += html_cell(table.columns[i], row[i]);
    page += "</tr>\n";
  }
  page += "</tbody></table></div>";
  if (table.rows.size() > kMostRows) {
    page += fmt::format("<p class=note>The first {} of {} rows; all of them are in {}.csv.</p>",
                        group_digits(kMostRows), group_digits(table.rows.size()), table.name);
  }
  page += "</section>\n";
}

// An SVG document without its XML declaration and with identifiers of its own: several share one page.
std::string inline_svg(std::string_view svg, std::string_view prefix) {
  const std::size_t begin = svg.find("<svg");
  if (begin == std::string_view::npos) return {};
  std::string out;
  std::string_view rest = svg.substr(begin);
  constexpr std::string_view kMarkers[] = {"id=\"", "href=\"#", "url(#"};
  while (!rest.empty()) {
    std::size_t at = std::string_view::npos, length = 0;
    for (const auto marker : kMarkers) {
      const std::size_t found = rest.find(marker);
      if (found < at) {
        at = found;
        length = marker.size();
      }
    }
    if (at == std::string_view::npos) break;
    out += rest.substr(0, at + length);
    out += prefix;
    out += '-';
    rest.remove_prefix(at + length);
  }
  out += rest;
  return out;
}

void add_plots(std::string& page, const std::vector<ReportPlot>& plots) {
  page += "<section id=plots><h2>Prices and volumes</h2>\n";
  std::size_t shown = 0;
  for (const ReportPlot& plot : plots) {
    if (!plot.on_page) continue;
    page += fmt::format("<figure role=img aria-label=\"{}\">{}</figure>\n", escaped(plot.name),
                        inline_svg(plot.svg, fmt::format("p{}", shown++)));
  }
  if (shown < plots.size()) {
    page += fmt::format("<p class=note>{} of {} pictures; all of them are in plots/.</p>",
                        group_digits(shown), group_digits(plots.size()));
  }
  page += "</section>\n";
}

}  // namespace

std::string report_html(const ReportTable& summary, const std::vector<ReportTable>& tables,
                        const std::vector<ReportPlot>& plots) {
  std::string page =
      "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
      "<meta name=viewport content=\"width=device-width,initial-scale=1\"><title>chandler "
      "report</title><style>";
  page += kStyle;
  page += "</style></head><body><header><h1>chandler report</h1><p class=note>";
  page +=
      fmt::format("{}. All times are UTC. Filled days are left out of the statistics.</p></header>\n<nav>",
                  counted(summary.rows.size(), "symbol", "symbols"));
  page += fmt::format("<a href=\"#{}\">{}</a>", summary.name, escaped(summary.title));
  if (!plots.empty()) page += "\n<a href=\"#plots\">Plots</a>";
  for (const ReportTable& table : tables) page += fmt::format("\n<a href=\"#{0}\">{0}</a>", table.name);
  page += "</nav><main>\n";
  add_table(page, worst_first(summary));
  if (!plots.empty()) add_plots(page, plots);
  for (const ReportTable& table : tables) add_table(page, worst_first(table));
  page += "</main><script>";
  page += kScript;
  page += "</script></body></html>\n";
  return page;
}

}  // namespace chandler::batch
