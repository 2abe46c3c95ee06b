// CloudWatch's dashboard body: kinds of widgets, and rows that lay them out. One unit is a 24th of the width.
local width = 24;

{
  // One metric: its dimensions as an object, and how it is shown.
  metric(namespace, name, dimensions, options={})::
    [namespace, name] + std.flattenArrays([[key, dimensions[key]] for key in std.objectFields(dimensions)])
    + (if options == {} then [] else [options]),

  // Lines over time.
  graph(title, metrics, stat='Average', min=0, stacked=false, period=60):: {
    type: 'metric',
    properties: {
      title: title,
      view: 'timeSeries',
      stacked: stacked,
      stat: stat,
      period: period,
      metrics: metrics,
      yAxis: { left: { min: min } },
    },
  },

  // The latest values as figures.
  numbers(title, metrics, stat='Average'):: {
    type: 'metric',
    properties: { title: title, view: 'singleValue', stat: stat, period: 60, sparkline: true, metrics: metrics },
  },

  // The answer of CloudWatch Logs Insights. AWS bills what a query reads, each time the dashboard is opened.
  logs(title, group, lines):: {
    type: 'log',
    properties: { title: title, view: 'table', query: std.join(' | ', ["SOURCE '" + group + "'"] + lines) },
  },

  text(markdown):: { type: 'text', properties: { markdown: markdown } },

  // All metrics that a search finds, as one line each.
  search(namespace, keys, name, filter, stat, period=60):: [[{
    expression: "SEARCH('{%s} MetricName=\"%s\" %s', '%s', %d)"
                % [std.join(',', [namespace] + keys), name, filter, stat, period],
  }]],

  // What only Terraform knows: it fills these in when it makes the dashboard.
  terraform(path):: '${' + path + '}',

  // A dashboard of rows; the widgets of a row share its width.
  dashboard(region, rows):: {
    local place(row, index, y) = row.widgets[index] {
      local each = std.floor(width / std.length(row.widgets)),
      x: index * each,
      y: y,
      width: each,
      height: row.height,
      properties+: if row.widgets[index].type == 'text' then {} else { region: region },
    },
    local tops = std.foldl(function(found, row) found + [found[std.length(found) - 1] + row.height], rows, [0]),
    widgets: [
      place(rows[number], index, tops[number])
      for number in std.range(0, std.length(rows) - 1)
      for index in std.range(0, std.length(rows[number].widgets) - 1)
    ],
  },

  // What the rows below are about.
  heading(title):: self.row([self.text('## ' + title)], height=1),

  row(widgets, height=6):: { widgets: widgets, height: height },
}
