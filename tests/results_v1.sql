-- A results database of schema 1, dumped from one that the code of that time made.
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE loss (
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, step INTEGER NOT NULL,
  name TEXT NOT NULL, value REAL NOT NULL, seconds REAL NOT NULL,
  PRIMARY KEY (run_id, name, step)) STRICT, WITHOUT ROWID;
INSERT INTO "loss" VALUES(1,20,'protect',1.05,2.0);
INSERT INTO "loss" VALUES(1,40,'protect',1.025,4.0);
INSERT INTO "loss" VALUES(1,60,'protect',1.01666666666666660745e+00,6.0);
INSERT INTO "loss" VALUES(1,20,'total',0.05,2.0);
INSERT INTO "loss" VALUES(1,40,'total',0.025,4.0);
INSERT INTO "loss" VALUES(1,60,'total',1.66666666666666664353e-02,6.0);
CREATE TABLE run (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, model TEXT NOT NULL, command TEXT NOT NULL,
  started_at TEXT NOT NULL, config TEXT NOT NULL) STRICT;
INSERT INTO "run" VALUES(1,'train','proface-s-rand','python -m engine train proface-s-rand','2026-11-21T06:46:39+00:00','{"name": "proface-s-rand"}');
INSERT INTO "run" VALUES(2,'benchmark','sealed','python -m engine benchmark --data faces.zip','2026-11-21T06:46:39+00:00','{"data": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", "limit": 2, "masks": ["gaussian", "sticker"], "methods": ["sealed"], "metrics": ["psnr_db", "ssim"], "photographs": false, "preset": "paper", "seed": 7, "weights": {"sealed": ""}}');
INSERT INTO "run" VALUES(3,'benchmark','sealed','python -m engine benchmark --data faces.zip','2026-11-21T06:46:39+00:00','{"data": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", "limit": 2, "masks": ["gaussian", "median"], "methods": ["sealed"], "metrics": ["psnr_db", "ssim"], "photographs": false, "preset": "paper", "seed": 7, "weights": {"sealed": ""}}');
CREATE TABLE score (
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, image TEXT NOT NULL,
  source TEXT NOT NULL, method TEXT NOT NULL, mask TEXT NOT NULL, pair TEXT NOT NULL,
  metric TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (run_id, method, mask, image, pair, metric)) STRICT, WITHOUT ROWID;
INSERT INTO "score" VALUES(2,'a.png','lfw','sealed','gaussian','mask:protected','psnr_db',50.0);
INSERT INTO "score" VALUES(2,'a.png','lfw','sealed','gaussian','mask:protected','ssim',0.99);
INSERT INTO "score" VALUES(2,'a.png','lfw','sealed','gaussian','original:recovered','psnr_db',42.5);
INSERT INTO "score" VALUES(2,'a.png','lfw','sealed','gaussian','wrong','clipped',0.5);
INSERT INTO "score" VALUES(2,'b.png','lfw','sealed','gaussian','mask:protected','psnr_db',51.0);
INSERT INTO "score" VALUES(2,'b.png','lfw','sealed','gaussian','mask:protected','ssim',0.991);
INSERT INTO "score" VALUES(2,'b.png','lfw','sealed','gaussian','original:recovered','psnr_db',9e999);
INSERT INTO "score" VALUES(2,'b.png','lfw','sealed','gaussian','wrong','clipped',0.5);
INSERT INTO "score" VALUES(2,'c.png','ffhq','sealed','gaussian','mask:protected','psnr_db',52.0);
INSERT INTO "score" VALUES(2,'c.png','ffhq','sealed','gaussian','mask:protected','ssim',0.992);
INSERT INTO "score" VALUES(2,'c.png','ffhq','sealed','gaussian','original:recovered','psnr_db',9e999);
INSERT INTO "score" VALUES(2,'c.png','ffhq','sealed','gaussian','wrong','clipped',0.5);
INSERT INTO "score" VALUES(2,'d.png','ffhq','sealed','gaussian','mask:protected','psnr_db',53.0);
INSERT INTO "score" VALUES(2,'d.png','ffhq','sealed','gaussian','mask:protected','ssim',0.993);
INSERT INTO "score" VALUES(2,'d.png','ffhq','sealed','gaussian','original:recovered','psnr_db',9e999);
INSERT INTO "score" VALUES(2,'d.png','ffhq','sealed','gaussian','wrong','clipped',0.5);
INSERT INTO "score" VALUES(2,'a.png','lfw','sealed','sticker','mask:protected','psnr_db',50.125);
INSERT INTO "score" VALUES(2,'a.png','lfw','sealed','sticker','mask:protected','ssim',0.99);
INSERT INTO "score" VALUES(2,'a.png','lfw','sealed','sticker','original:recovered','psnr_db',42.5);
INSERT INTO "score" VALUES(2,'a.png','lfw','sealed','sticker','wrong','clipped',0.5);
INSERT INTO "score" VALUES(2,'b.png','lfw','sealed','sticker','mask:protected','psnr_db',51.125);
INSERT INTO "score" VALUES(2,'b.png','lfw','sealed','sticker','mask:protected','ssim',0.991);
INSERT INTO "score" VALUES(2,'b.png','lfw','sealed','sticker','original:recovered','psnr_db',9e999);
INSERT INTO "score" VALUES(2,'b.png','lfw','sealed','sticker','wrong','clipped',0.5);
INSERT INTO "score" VALUES(2,'c.png','ffhq','sealed','sticker','mask:protected','psnr_db',52.125);
INSERT INTO "score" VALUES(2,'c.png','ffhq','sealed','sticker','mask:protected','ssim',0.992);
INSERT INTO "score" VALUES(2,'c.png','ffhq','sealed','sticker','original:recovered','psnr_db',9e999);
INSERT INTO "score" VALUES(2,'c.png','ffhq','sealed','sticker','wrong','clipped',0.5);
INSERT INTO "score" VALUES(2,'d.png','ffhq','sealed','sticker','mask:protected','psnr_db',53.125);
INSERT INTO "score" VALUES(2,'d.png','ffhq','sealed','sticker','mask:protected','ssim',0.993);
INSERT INTO "score" VALUES(2,'d.png','ffhq','sealed','sticker','original:recovered','psnr_db',9e999);
INSERT INTO "score" VALUES(2,'d.png','ffhq','sealed','sticker','wrong','clipped',0.5);
INSERT INTO "score" VALUES(3,'a.png','lfw','sealed','gaussian','mask:protected','psnr_db',50.0);
INSERT INTO "score" VALUES(3,'a.png','lfw','sealed','gaussian','mask:protected','ssim',0.99);
INSERT INTO "score" VALUES(3,'a.png','lfw','sealed','gaussian','original:recovered','psnr_db',42.5);
INSERT INTO "score" VALUES(3,'a.png','lfw','sealed','gaussian','wrong','clipped',0.5);
INSERT INTO "score" VALUES(3,'b.png','lfw','sealed','gaussian','mask:protected','psnr_db',51.0);
INSERT INTO "score" VALUES(3,'b.png','lfw','sealed','gaussian','mask:protected','ssim',0.991);
INSERT INTO "score" VALUES(3,'b.png','lfw','sealed','gaussian','original:recovered','psnr_db',9e999);
INSERT INTO "score" VALUES(3,'b.png','lfw','sealed','gaussian','wrong','clipped',0.5);
INSERT INTO "score" VALUES(3,'c.png','ffhq','sealed','gaussian','mask:protected','psnr_db',52.0);
INSERT INTO "score" VALUES(3,'c.png','ffhq','sealed','gaussian','mask:protected','ssim',0.992);
INSERT INTO "score" VALUES(3,'c.png','ffhq','sealed','gaussian','original:recovered','psnr_db',9e999);
INSERT INTO "score" VALUES(3,'c.png','ffhq','sealed','gaussian','wrong','clipped',0.5);
INSERT INTO "score" VALUES(3,'d.png','ffhq','sealed','gaussian','mask:protected','psnr_db',53.0);
INSERT INTO "score" VALUES(3,'d.png','ffhq','sealed','gaussian','mask:protected','ssim',0.993);
INSERT INTO "score" VALUES(3,'d.png','ffhq','sealed','gaussian','original:recovered','psnr_db',9e999);
INSERT INTO "score" VALUES(3,'d.png','ffhq','sealed','gaussian','wrong','clipped',0.5);
INSERT INTO "score" VALUES(3,'a.png','lfw','sealed','median','mask:protected','psnr_db',50.125);
INSERT INTO "score" VALUES(3,'a.png','lfw','sealed','median','mask:protected','ssim',0.99);
INSERT INTO "score" VALUES(3,'a.png','lfw','sealed','median','original:recovered','psnr_db',42.5);
INSERT INTO "score" VALUES(3,'a.png','lfw','sealed','median','wrong','clipped',0.5);
INSERT INTO "score" VALUES(3,'b.png','lfw','sealed','median','mask:protected','psnr_db',51.125);
INSERT INTO "score" VALUES(3,'b.png','lfw','sealed','median','mask:protected','ssim',0.991);
INSERT INTO "score" VALUES(3,'b.png','lfw','sealed','median','original:recovered','psnr_db',9e999);
INSERT INTO "score" VALUES(3,'b.png','lfw','sealed','median','wrong','clipped',0.5);
CREATE VIEW mean_score AS
  SELECT run_id, method, mask, source, pair, metric, count(*) AS images,
    avg(CASE WHEN value < 9e999 THEN value END) AS mean,
    min(value) AS least, max(value) AS greatest, sum(value = 9e999) AS exact
  FROM score GROUP BY run_id, method, mask, source, pair, metric;
COMMIT;
