"""Chooses the container image: the built-in algorithm's, from AWS's registry of the region, or our own."""

from image_classifier.aws.settings import PREFIX, Settings, image_of_region
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import SettingsError

AWS = "amazonaws.com"
# region -> account and domain of AWS's registry; a test compares them with the SageMaker SDK's data
REGISTRIES = {
    "af-south-1": ("455444449433", AWS),
    "ap-east-1": ("286214385809", AWS),
    "ap-northeast-1": ("501404015308", AWS),
    "ap-northeast-2": ("306986355934", AWS),
    "ap-northeast-3": ("867004704886", AWS),
    "ap-south-1": ("991648021394", AWS),
    "ap-south-2": ("628508329040", AWS),
    "ap-southeast-1": ("475088953585", AWS),
    "ap-southeast-2": ("544295431143", AWS),
    "ap-southeast-3": ("951798379941", AWS),
    "ap-southeast-4": ("106583098589", AWS),
    "ca-central-1": ("469771592824", AWS),
    "ca-west-1": ("190319476487", AWS),
    "cn-north-1": ("390948362332", "amazonaws.com.cn"),
    "cn-northwest-1": ("387376663083", "amazonaws.com.cn"),
    "eu-central-1": ("813361260812", AWS),
    "eu-central-2": ("680994064768", AWS),
    "eu-north-1": ("669576153137", AWS),
    "eu-south-1": ("257386234256", AWS),
    "eu-south-2": ("104374241257", AWS),
    "eu-west-1": ("685385470294", AWS),
    "eu-west-2": ("644912444149", AWS),
    "eu-west-3": ("749696950732", AWS),
    "il-central-1": ("898809789911", AWS),
    "me-central-1": ("272398656194", AWS),
    "me-south-1": ("249704162688", AWS),
    "sa-east-1": ("855470959533", AWS),
    "us-east-1": ("811284229777", AWS),
    "us-east-2": ("825641698319", AWS),
    "us-gov-east-1": ("237065988967", AWS),
    "us-gov-west-1": ("226302683700", AWS),
    "us-iso-east-1": ("490574956308", "c2s.ic.gov"),
    "us-isob-east-1": ("765400339828", "sc2s.sgov.gov"),
    "us-isof-east-1": ("108575199400", "csp.hci.ic.gov"),
    "us-isof-south-1": ("124985052026", "csp.hci.ic.gov"),
    "us-west-1": ("632365934929", AWS),
    "us-west-2": ("433757028032", AWS),
}


def algorithm_image(classifier: Classifier, *, settings: Settings, region: str) -> str:
    """Return the URI of the image that the classifier's training jobs and endpoint run.

    Raises:
        SettingsError: there is no image in this region.

    """
    return image_uri(region) if classifier.algorithm == "builtin" else _own_image(classifier, settings, region)


def image_uri(region: str) -> str:
    """Return the URI of the built-in algorithm's image in `region`.

    Raises:
        SettingsError: AWS does not publish the algorithm there.

    """
    try:
        account, domain = REGISTRIES[region]
    except KeyError:
        message = (
            f"AWS's image classification algorithm is not available in region {region!r}; set the connection's "
            f"region_name to one of {', '.join(REGISTRIES)}."
        )
        raise SettingsError(message) from None
    return f"{account}.dkr.ecr.{region}.{domain}/image-classification:1"


def _own_image(classifier: Classifier, settings: Settings, region: str) -> str:
    variable, image = f"{PREFIX}ALGORITHM_IMAGE", settings.algorithm_image
    if image is None:
        message = (
            f"Classifier {classifier.name} says algorithm: own, and {variable} is not set. `make algorithm-image` "
            "builds the image and says how to push it; set the variable to its URI in the environment of Airflow's "
            "workers, or say algorithm: builtin."
        )
        raise SettingsError(message)
    return image_of_region(image, variable=variable, region=region)
