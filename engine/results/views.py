"""The views of the results database: means, the best of each figure, and the papers' tables."""

__all__ = ["TABLES", "VIEWS"]

TABLES: dict[str, tuple[str, str, str]] = {
    "table_1_protect": ("PRO-Face S", "I", "Protection: how close to the mask"),
    "table_2_recover": ("PRO-Face S", "II", "Recovery with the right key"),
    "table_3_wrong": ("PRO-Face S", "III", "Recovery with a wrong key"),
    "table_4_ablation": ("PRO-Face S", "IV", "What each part of the method brings"),
    "table_5_cost": ("PRO-Face S", "V", "Parameters, and seconds for 16 faces of 112 px"),
    "imn_table_2": ("IMN", "2", "Weights of the losses"),
    "imn_table_3": ("IMN", "3", "Six pairs of faces"),
    "imn_table_4": ("IMN", "4", "Beside You et al."),
    "fit_table_2": ("FIT", "2", "Recovery"),
    "fit_table_3": ("FIT", "3", "How far a detector's boxes and points move"),
    "sdn_anonymise": ("SDN", "anonymise", "Original beside anonymised"),
    "sdn_recover": ("SDN", "recover", "Recovery"),
}
"""Name of each view of a paper's table: the paper, its number there, what it is about."""

_KEY = "method, mask, protocol, source, pair"
_FIGURES = "images, exact, mean, least, greatest"

_RUNS = """CREATE VIEW run_summary AS
  SELECT id, kind, model, command, started_at, config, state, finished_at, heartbeat_at,
    commit_hash, dirty, weights_hash, data_hash, seed, versions, device, threads, note, tag, hidden,
    (SELECT coalesce(sum(images), 0) FROM series WHERE run_id = run.id) AS figures
  FROM run"""

_MEAN = f"""CREATE VIEW mean_score AS
  SELECT run_id, {_KEY}, metric, {_FIGURES}, variance, id AS series_id FROM series
  WHERE images"""

# Which model stood behind a method's name, by run; runs that do not say are older than any that do.
_WEIGHTS = """CREATE VIEW run_weights AS
  SELECT run.id AS run_id, told.key AS method, told.value AS weights
  FROM run, json_each(CASE WHEN json_valid(config) THEN config ELSE '{}' END, '$.weights') AS told
  WHERE kind = 'benchmark' AND state = 'finished' AND NOT hidden"""

_NEWEST_WEIGHTS = """CREATE VIEW newest_weights AS
  SELECT method, weights, max(run_id) AS run_id FROM run_weights GROUP BY method"""

# Figures of an older model than the newest of its name count nowhere, on however many faces.
# With max(), SQLite takes the other columns from the row of the greatest: of most images, so that
# a trial on a few faces replaces no full run, then of the newest run.
_LATEST = f"""CREATE VIEW latest_score AS
  SELECT series.run_id AS run_id, {_KEY}, metric, {_FIGURES}, variance, series.id AS series_id,
    max((images << 32) + series.run_id) AS place,
    CASE WHEN metric LIKE 'lpips\\_%' ESCAPE '\\' THEN 'lpips' ELSE metric END AS printed
  FROM series JOIN run ON run.id = series.run_id
    LEFT JOIN newest_weights AS n USING (method)
  WHERE images AND kind = 'benchmark' AND state = 'finished' AND NOT hidden
    AND (n.weights IS NULL OR EXISTS (SELECT 1 FROM run_weights AS w
      WHERE w.run_id = series.run_id AND w.method = series.method AND w.weights = n.weights))
  GROUP BY {_KEY}, metric"""

_NETS = f"""CREATE VIEW printed_score AS
  SELECT run_id, {_KEY}, printed, max(metric) AS metric, {_FIGURES}, 1 AS masks FROM latest_score
  GROUP BY {_KEY}, printed"""

_OURS = f"""CREATE VIEW our_score AS
  SELECT run_id, {_KEY}, printed, metric, {_FIGURES}, masks FROM printed_score
  UNION ALL
  SELECT max(run_id), method, 'average', protocol, source, pair, printed, max(metric), sum(images),
    sum(exact), avg(mean), min(least), max(greatest), count(*)
  FROM printed_score WHERE mask IN (SELECT mask FROM paper_mask)
  GROUP BY method, protocol, source, pair, printed
  UNION ALL
  SELECT max(run_id), method, mask, protocol, '', 'cost', name, name, batch, 0, median, low, high, 1
  FROM cost JOIN run ON run.id = run_id CROSS JOIN (SELECT 'png' AS protocol UNION SELECT 'paper')
  WHERE state = 'finished' AND NOT hidden AND (batch = 16 OR unit = '')
  GROUP BY method, mask, name, protocol"""

_CELL = """CREATE VIEW paper_cell AS
  SELECT r.table_name, r.id AS place, r.paper, r.method, r.ours AS our_method, r.mask, r.source,
    r.pair, r.metric, r.better, p.protocol, r.value AS paper_value, r.note, o.metric AS our_metric,
    o.mean AS our_value, o.least, o.greatest, o.exact, o.images, o.masks, o.run_id,
    o.mean - r.value AS difference
  FROM reference r CROSS JOIN (SELECT 'png' AS protocol UNION SELECT 'paper') p
  LEFT JOIN our_score o ON r.ours <> '' AND o.method = r.ours AND o.mask = r.mask
    AND o.source = r.source AND o.pair = r.pair AND o.printed = r.metric
    AND o.protocol = p.protocol"""

# A method of ours that the paper has no row for stands below the paper's own.
_OWN = """
  UNION ALL
  SELECT '{number}', NULL, '{paper}', o.method, o.method, o.mask, o.source, o.pair, o.printed,
    CASE WHEN (o.printed LIKE 'psnr%' OR o.printed LIKE 'ssim%') = (o.pair <> 'original:wrong')
      THEN 'higher' ELSE 'lower' END,
    o.protocol, NULL, '', o.metric, o.mean, o.least, o.greatest, o.exact, o.images, o.masks,
    o.run_id, NULL
  FROM our_score o
  WHERE o.pair IN ({pairs}) AND o.printed IN ('psnr_db', 'ssim', 'lpips') AND NOT EXISTS (
    SELECT 1 FROM reference r WHERE r.paper = '{paper}' AND r.table_name = '{number}'
      AND r.ours = o.method AND r.mask = o.mask AND r.source = o.source AND r.pair = o.pair
      AND r.metric = o.printed)"""
_PAIRS = {
    "table_1_protect": "'mask:protected'",
    "table_2_recover": "'original:recovered'",
    "table_3_wrong": "'original:wrong', 'mask:wrong'",
}


def _table(name: str) -> str:
    paper, number, _ = TABLES[name]
    own = _OWN.format(number=number, paper=paper, pairs=_PAIRS[name]) if name in _PAIRS else ""
    where = f"WHERE paper = '{paper}' AND table_name = '{number}'"
    return f"CREATE VIEW {name} AS SELECT * FROM paper_cell {where}{own}"


_BLOCKS = f"""CREATE VIEW figure_6_blocks AS
  SELECT CAST(substr(method, -1) AS INTEGER) AS blocks, run_id, {_KEY}, metric, {_FIGURES}
  FROM latest_score WHERE method GLOB 'proface-s-*-n[1-9]'"""

VIEWS: dict[str, str] = {
    "run_summary": _RUNS,
    "mean_score": _MEAN,
    "run_weights": _WEIGHTS,
    "newest_weights": _NEWEST_WEIGHTS,
    "latest_score": _LATEST,
    "printed_score": _NETS,
    "our_score": _OURS,
    "paper_cell": _CELL,
    **{name: _table(name) for name in TABLES},
    "figure_6_blocks": _BLOCKS,
}
"""Name of each view to the statement that makes it, in the order in which they need each other."""
