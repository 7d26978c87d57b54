"""The commands whose behaviour is recorded, as data: one a line, in the order they run in.

`{out}` is a new folder of the command: what it writes there is recorded too. `{v1}` is the tag
of the first version, `{given}` a folder of files that commands read. Where a verb or an option
has had several spellings, they stand together, `--annotations|--text`: the first one that the
help of the checkout names is used, and the first one is in the record. A line that begins with
spaces continues the one before.
"""

BEFORE = r"""
validate gpr1200 samples/emoji --json
validate folder samples/food --json
validate sketch samples/sketches --json
validate csv boxed --json
validate csv boxed/images --annotations|--text boxed/items.csv --option unboxed=drop --json
validate coco samples/food --json
add boxed --source csv --path boxed --title Boxes
"""
"""Before the pipeline runs."""

AFTER = r"""
list --json
show emoji --json
show food --json
query "select item_id, label from food_clean order by item_id" --json
search food_clean --model classes --id train/drink/beer-mug_noto.png -k 4 --json
show sketches --labels --json
show boxed --json
describe emoji --json
describe boxed --json
describe food --markdown
findings boxed --json
findings boxed --check dangling --json
why outlines --json
why near --json
why small --json
why emoji lite0 --json
why emoji lite0 images/0_noto.jpg --json
why sketches outlines testB/00003.png --json
doctor --json
doctor --deep --json
check emoji --json --html {out}/flags.html
schemas --check
download --json
indexes --json
query "show tables" --json
query "select label, count(*) as n from emoji group by label order by label" --json
query "select * from boxed order by item_id" --limit 3 --json
query "select item_id, width, height, sha256 from food order by item_id" --csv {out}/rows.csv
    --parquet {out}/rows.parquet
query "select subset, avg(value) as map from queries_emoji_lite0_gpr1200_strict
    group by subset order by subset" --json
query "select * from emoji_flags order by image_id, flag" --json
query "select * from boxed_findings" --json
search emoji --model lite0 --id images/0_noto.jpg -k 5 --json
search emoji --model lite0 --id images/0_noto.jpg --id images/200_noto.jpg --combine max -k 5
    --offset 2 --json
search emoji --model lite0 --image samples/emoji/images/200_noto.jpg -k 5 --json --html
    {out}/hits.html --png {out}/hits.png
search emoji --model lite0 --image samples/emoji/images/200_noto.jpg --box 20,20,120,140
    --per-label 1 --json
search emoji --keywords|--text tower -k 5 --json
search emoji --model lite0 --keywords|--text tower --id images/0_noto.jpg -k 5 --json
search emoji --model lite0 --vector {given}/vector.npy --min-score 0.6 --json
search emoji --model lite0 --id images/600_twemoji.jpg -k 8 --index ivf --json
search emoji --model lite0 --id images/600_twemoji.jpg --where "subset = 'faces'" --json
search emoji --model lite0 --queries {given}/queries.csv -k 3 --json
search emoji --model lite0 --queries {given}/queries.csv -k 3 --index ivf --json
search food boxed --model lite0 --image samples/food/test/drink/tropical-drink_noto.png -k 6
    --json
search sketches --model outlines --id testA/00003_01.png -k 5 --role any --where
    "split = 'test'" --json
compare sketches-lite0-sbir-acc sketches-outlines-sbir-acc --json
compare emoji-lite0-gpr1200-strict emoji-near-strict --json
crosswalk emoji-lite0-gpr1200 --json
crosswalk sketches-outlines-sbir-acc --json
report emoji-lite0-gpr1200-strict --json
report sketches-outlines-sbir-acc --json
report food-small-knn --json
score gpr1200 --embeddings {given}/emoji.npy --images samples/emoji --json
score gpr1200-strict --indices {given}/lists.npy --images samples/emoji --json
score metric-learning --embeddings {given}/emoji.npy --items {given}/items.parquet --json
score reidentification --embeddings {given}/emoji.npy --items {given}/items.parquet --json
score verification-easy --embeddings {given}/emoji.npy --items {given}/items.parquet --json
attention eyes --image samples/emoji/images/200_noto.jpg --figure {out}/heads.svg --json
index emoji lite0 ivf --json
index emoji lite0 codes --json
index emoji lite0 hnsw --json
search emoji --model lite0 --id images/600_twemoji.jpg -k 8 --index codes --json
search emoji --model lite0 --id images/600_twemoji.jpg -k 8 --index hnsw --json
indexes --json
export food folder --to {out}/folder --json
export food csv --to {out}/csv --json
export food parquet --to {out}/parquet --json
export food webdataset --to {out}/webdataset --json
export food huggingface --to {out}/huggingface --json
export food croissant --to {out}/croissant --json
export food embeddings --to {out}/embeddings -o model=lite0 --json
export food imagenet-npz --to {out}/npz --json
export emoji image-matrix --to {out}/matrix -o side=32 -o min_images=5 -o ratio=3 --where
    "subset = 'faces'" --json
export boxed coco --to {out}/coco --json
export boxed voc --to {out}/voc --json
export boxed yolo --to {out}/yolo --json
export boxed csv --to {out}/boxes --json
export food thumbs --to {out}/thumbs --where "split = 'val'" --json
export food csv --to {out}/commercial -o purpose=commercial --json
"""
"""After the pipeline has run, at the first version."""

CHANGE = r"""
correct food test/drink/tropical-drink_noto.png test/drink/tropical-drink_openmoji_black.png
    --label prepared --set split=val
correct emoji images/0_noto.jpg --label 200
"""
"""What makes the second version; the pipeline runs again after it."""

VERSIONS = r"""
log food --json
diff food {v1} --json --html {out}/changes.html
diff food {v1} HEAD --markdown
diff emoji {v1} --json
list --rev {v1} --json
show food --rev {v1} --json
findings boxed --rev {v1} --json
query "select label, count(*) as n from food group by label order by label" --rev {v1} --json
search emoji --model lite0 --id images/0_noto.jpg -k 3 --rev {v1} --json
export food csv --to {out}/old --rev {v1} --json
evaluate emoji-lite0-gpr1200 --rev {v1}
compare emoji-lite0-gpr1200@{v1} emoji-lite0-gpr1200 --json
release food 1.0 -m "Two drinks" --json
show food --rev 1.0 --json
merge labels --json
push --json
push boxed --json
pull food --json
pull emoji --no-images --json
forget boxed images/0_noto.jpg --reason "a test" --json
doctor --json
tune emoji lite0 --recall 0.9 --json
"""
"""At the second version; `labels` is a branch from before it, with a correction of its own."""


def lines(commands: str) -> list[str]:
    """The single commands."""
    return commands.replace("\n    ", " ").split("\n")[1:-1]
