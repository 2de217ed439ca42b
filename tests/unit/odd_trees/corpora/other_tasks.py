"""Public data sets of detection, segmentation and other formats, which are no data sets of labelled images."""

from tests.unit.odd_trees.corpora.building import Corpus, below, refused

VOC = "VOCdevkit/VOC2012"

CORPORA = {
    "Oxford-IIIT Pet": Corpus(
        [
            *below("images", file="Abyssinian_{}.jpg"),
            *below("images", file="beagle_{}.jpg"),
            *below("annotations/trimaps", file="Abyssinian_{}.png"),
            *below("annotations/trimaps", file="beagle_{}.png"),
        ],
        refused("'annotations', 'images'", "not all classes", "annotations of objects", "write a list"),
        {
            "images/Abyssinian_100.mat": b"MATLAB",
            **{
                f"annotations/{name}": "Abyssinian_1 1 1 1\n"
                for name in ("list.txt", "trainval.txt", "test.txt", "README", "._trimaps")
            },
            **dict.fromkeys(below("annotations/xmls", file="Abyssinian_{}.xml"), "<annotation>"),
            **dict.fromkeys(below("annotations/trimaps", file="._Abyssinian_{}.png"), "\0"),
        },
    ),
    "Oxford-IIIT Pet, images alone": Corpus(
        [*below("images", file="Abyssinian_{}.jpg"), *below("images", file="beagle_{}.jpg")],
        refused("Only one class", "'images'", "write a list"),
    ),
    "Pascal VOC": Corpus(
        [
            *below(f"{VOC}/JPEGImages", file="2007_{:06}.jpg"),
            *below(f"{VOC}/SegmentationClass", file="2007_{:06}.png", count=4),
            *below(f"{VOC}/SegmentationObject", file="2007_{:06}.png", count=4),
        ],
        refused("Only one class", "'VOCdevkit'", "annotations of objects", "write a list"),
        {
            **dict.fromkeys(below(f"{VOC}/Annotations", file="2007_{:06}.xml"), "<annotation>"),
            f"{VOC}/ImageSets/Main/aeroplane_train.txt": "2007_000001 -1\n",
        },
    ),
    "YOLO of COCO128": Corpus(
        below("coco128/images/train2017", file="{:012}.jpg"),
        refused("Only one class", "annotations of objects"),
        {
            **dict.fromkeys(below("coco128/labels/train2017", file="{:012}.txt"), "45 0.47 0.69 0.95 0.59\n"),
            "coco128/LICENSE": "GPL",
            "coco128/README.txt": "COCO128",
        },
    ),
    "YOLO of COCO8": Corpus(
        [*below("images/train", file="{:012}.jpg"), *below("images/val", file="{:012}.jpg", start=50)],
        refused("'images', 'labels'", "annotations of objects"),
        {
            **dict.fromkeys(below("labels/train", file="{:012}.txt"), "45 0.47 0.69 0.95 0.59\n"),
            **dict.fromkeys(below("labels/val", file="{:012}.txt", start=50), "45 0.47 0.69 0.95 0.59\n"),
            "data.yaml": "nc: 80\n",
        },
    ),
    "YOLO of Roboflow": Corpus(
        [
            name
            for part in ("train", "valid", "test")
            for name in below(f"{part}/images", file=f"{part}_{{}}_jpg.rf.1.jpg")
        ],
        refused("'labels' hold only files that end in .txt"),
        {
            **{
                name: "0 0.5 0.5 1 1\n"
                for part in ("train", "valid", "test")
                for name in below(f"{part}/labels", file=f"{part}_{{}}_jpg.rf.1.txt")
            },
            "data.yaml": "nc: 1\n",
        },
    ),
    "COCO": Corpus(
        [*below("train2017", file="{:012}.jpg"), *below("val2017", file="{:012}.jpg", start=50)],
        refused("found 18 files that are in no class folder", "annotations of objects"),
        {"annotations/instances_train2017.json": "{}", "annotations/instances_val2017.json": "{}"},
    ),
    "COCO of Roboflow": Corpus(
        [name for part in ("train", "valid") for name in below(part, file=f"{part}_{{}}_jpg.rf.1.jpg")],
        refused("found 18 files that are in no class folder", "annotations of objects"),
        {"train/_annotations.coco.json": "{}", "valid/_annotations.coco.json": "{}"},
    ),
    "images and masks": Corpus(
        [*below("images", file="{}.jpg"), *below("masks", file="{}.png")],
        refused("'images', 'masks'", "not all classes", "`layout: classes`"),
    ),
    "Carvana": Corpus(
        [
            *below("train", file="0cdf5b5d0ce1_{:02}.jpg"),
            *below("train_masks", file="0cdf5b5d0ce1_{:02}_mask.gif"),
            *below("test", file="0004d4463b50_{:02}.jpg"),
        ],
        refused("found 26 files that are in no class folder", "write a list"),
        {
            "train_masks.csv": "img,rle_mask\n0cdf5b5d0ce1_01.jpg,879386 40\n",
            "metadata.csv": "id,year\n0004d4463b50,2014\n",
        },
    ),
    "splits with images and masks": Corpus(
        [
            name
            for part in ("train", "val")
            for kind in ("images", "masks")
            for name in below(f"{part}/{kind}", file="{}.png")
        ],
        refused("'images', 'masks'", "`layout: splits`"),
    ),
    "CIFAR-10 for Python": Corpus(
        [],
        refused("No file has the name of an image", "save each as a file"),
        {
            f"cifar-10-batches-py/{name}": b"\x80\2}q"
            for name in ("data_batch_1", "data_batch_2", "test_batch", "batches.meta", "readme.html")
        },
    ),
    "MNIST as IDX": Corpus(
        [],
        refused("archives: unpack them"),
        dict.fromkeys(
            ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte.gz"), b"\x00\x00\x08\x03"
        ),
    ),
    "Parquet of Hugging Face": Corpus(
        [],
        refused("pack many images or tables into one file", "save each image as a file"),
        {f"data/{name}-00000-of-00001.parquet": b"PAR1" for name in ("train", "test")}
        | {"README.md": "---\ndataset_info:\n---\n"},
    ),
    "Fashion-MNIST as CSV": Corpus(
        [],
        [*refused("their names end in .csv"), *refused("save each image as a file", source="fashion-mnist_train.csv")],
        dict.fromkeys(("fashion-mnist_train.csv", "fashion-mnist_test.csv"), "label,pixel1,pixel2\n2,0,0\n9,0,1\n"),
    ),
    "archives not unpacked": Corpus(
        [],
        refused("'test1.zip', 'train.zip' are archives: unpack them"),
        {"train.zip": b"PK\3\4", "test1.zip": b"PK\3\4", "sampleSubmission.csv": "id,label\n1,0\n"},
    ),
    "classes as archives": Corpus(
        [],
        refused("'pets/cat.zip', 'pets/dog.tar.gz' are archives: unpack them"),
        {"pets/cat.zip": b"PK\3\4", "pets/dog.tar.gz": b"\x1f\x8b"},
    ),
}
