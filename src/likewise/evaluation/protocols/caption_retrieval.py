"""Image-text retrieval with five captions per image: COCO 5K and 1K, Flickr30k."""

from typing import ClassVar

from likewise.evaluation.protocols.image_text import FOLD, POSITION, ImageText
from likewise.evaluation.protocols.image_text_pairs import CAPTIONS


class ImageText5k(ImageText):
    """Recall at 1, 5 and 10 among all test images and the first five captions of each.

    Every caption is a query and a text of the gallery of its own, even if it equals another
    one, so that a text of another image counts as wrong. COCO 5K has 5,000 images, Flickr30k
    1,000. Captions behind the fifth are not used.

    Source: Karpathy, Fei-Fei, CVPR 2015 (arXiv:1412.2306), for the split; Faghri et al., VSE++,
    BMVC 2018 (arXiv:1707.05612), ``i2t`` and ``t2i`` of the repository fartashf/vsepp.
    """

    name: ClassVar[str] = "image-text-5k"
    captions: ClassVar[int] = 5


class ImageText1k(ImageText5k):
    """The metrics of ``image-text-5k`` in folds of 1,000 images, averaged over the folds.

    The column ``fold`` gives the fold of an image. Without it, a fold is 1,000 images in the
    order of the column ``position``, or of the items. The folds of papers follow the order of
    Karpathy's list, which is the position of COCO's images.

    Source: Karpathy, Fei-Fei, CVPR 2015 (arXiv:1412.2306), for the split; Faghri et al., VSE++,
    BMVC 2018 (arXiv:1707.05612), ``evalrank(fold5=True)`` of the repository fartashf/vsepp.
    """

    name: ClassVar[str] = "image-text-1k"
    optional_columns: ClassVar[tuple[str, ...]] = (CAPTIONS, FOLD, POSITION)
    fold_size: ClassVar[int] = 1000
