"""The template's references are worked out as CloudFormation does, as far as the template uses them."""

from pathlib import Path
from typing import Any

import pytest

from local_aws.template import Values, load

TEXT = """
Parameters:
  Name: {Type: String, Default: ""}
  Days: {Type: Number, Default: 30}
Conditions:
  IsNamed: !Not [!Equals [!Ref Name, ""]]
Resources:
  Thing:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !If [IsNamed, !Ref Name, !Ref "AWS::NoValue"]
      Days: !Ref Days
      Arn: !GetAtt Thing.Arn
      Inside: !Sub "${Thing.Arn}/${AWS::Region}/${Thing}/*"
      List: [!If [IsNamed, 1, !Ref "AWS::NoValue"], 2]
"""


@pytest.fixture
def template(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "template.yaml").write_text(TEXT)
    return load(tmp_path / "template.yaml")


def properties(template: dict[str, Any], **parameters: str) -> Any:
    values = Values(template, parameters, {"Thing": "thing-1"}, {"Thing": "arn:thing-1"}, {"AWS::Region": "here"})
    return values.properties("Thing")


def test_defaults_and_absent_values(template: dict[str, Any]) -> None:
    assert properties(template) == {
        "Days": 30,
        "Arn": "arn:thing-1",
        "Inside": "arn:thing-1/here/thing-1/*",
        "List": [2],
    }


def test_parameters_decide(template: dict[str, Any]) -> None:
    found = properties(template, Name="mine")
    assert (found["BucketName"], found["List"]) == ("mine", [1, 2])
