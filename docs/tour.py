"""A tour of a catalogue in Python: `marimo edit docs/tour.py`, or run it as a script.

It reads the repository's own catalogue of samples, which `make demo` makes.
"""

import marimo

app = marimo.App()


@app.cell
def open_a_catalogue():
    import likewise

    catalogue = likewise.open()
    emoji = catalogue["emoji"]
    print("data sets:", ", ".join(catalogue))
    print("models of emoji:", ", ".join(emoji.models))
    return (emoji,)


@app.cell
def items_are_a_polars_frame(emoji):
    import polars as pl

    by_subset = (
        emoji.frame()
        .group_by("subset")
        .agg(pl.len().alias("items"), pl.col("label").n_unique().alias("labels"))
        .sort("subset")
        .collect()
    )
    print(by_subset)
    return (pl,)


@app.cell
def vectors_are_an_array(emoji):
    vectors = emoji.vectors(emoji.models[0])
    first = (emoji.items["label"] == emoji.items["label"][0]).to_numpy()
    similarity = vectors[first] @ vectors.T
    print("vectors:", vectors.shape, vectors.dtype)
    print("mean cosine within the first category:", similarity[:, first].mean().round(3))
    print("mean cosine to all others:", similarity[:, ~first].mean().round(3))


@app.cell
def items_come_by_id(emoji):
    item = emoji[emoji.items["item_id"][0]]
    print(len(emoji), "items; the first:", item.item_id, item.label, item.image().size)


@app.cell
def images_come_by_id(emoji, pl):
    elephants = emoji.items.filter(pl.col("text") == "elephant")["item_id"].to_list()
    pictures = emoji.images(elephants)
    print(len(pictures), "elephants of", pictures[0].size, "pixels")
    return (pictures,)


@app.cell
def search_by_a_picture(emoji, pictures):
    model = emoji.models[0]  # of several models, one must be named
    hits = emoji.search(image=pictures[0], model=model, k=5, where="subset = 'inat'")
    for hit in hits:
        print(hit.rank, f"{hit.score:.4f}", hit.text, hit.item_id)
    return (hits,)


@app.cell
def search_by_words(emoji):
    print("keywords:", *emoji.search(keywords="elephant", k=3)["item_id"])
    if emoji.text_models:  # models with a text tower
        print("text:", *emoji.search(text="a grey animal with a trunk", k=3)["item_id"])
    else:
        print("no model of emoji has a text tower")


@app.cell
def hits_are_a_frame_too(hits, pl):
    print(hits.frame.group_by("text").agg(pl.len().alias("hits")).sort("hits", descending=True))


@app.cell
def torch_reads_the_same_tables(emoji):
    data = emoji.torch(transform=lambda picture: picture.resize((32, 32)))
    picture, target = data[0]
    print(len(data), "items;", picture.size, data.classes[target])


if __name__ == "__main__":
    app.run()
