"""Answers IAM's SimulatePrincipalPolicy by the evaluator that decides about requests, with the given context."""

from collections.abc import Callable, Iterator, Mapping
from xml.sax.saxutils import escape

from local_aws.clients import ACCOUNT, REGION
from local_aws.ministack.modules import Answer, iam, iam_evaluator

ACTION = "SimulatePrincipalPolicy"
DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny", "ImplicitDeny": "implicitDeny"}


def simulate_principal_policy(_original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Replace the simulation, which ignored context, permissions boundaries and all resources but the first."""
    iam._IAM_HANDLERS[ACTION] = simulate  # the table of handlers has the function itself, and not its name
    return simulate


def simulate(request: Mapping[str, object]) -> Answer:
    """Return the decision for each action and resource."""
    arn = str(iam._p(request, "PolicySourceArn"))
    kind, name = arn.split(":", 5)[-1].partition("/")[0], arn.rpartition("/")[2]
    store = {"user": iam._users, "role": iam._roles}.get(kind, {})
    if not store or store.get(name, {}).get("Arn") != arn:
        missing: Answer = iam._error(404, "NoSuchEntity", escape(f"The entity {arn} cannot be found."), ns="iam")
        return missing
    gather = iam_evaluator._gather_user_policies if kind == "user" else iam_evaluator._gather_role_policies
    policies = gather(name, ACCOUNT)
    limits = iam_evaluator._permissions_boundary(store, name, ACCOUNT)
    context = {"aws:tagkeys": None, **dict(_context(request))}
    results = []
    for action in _members(request, "ActionNames"):
        for resource in _members(request, "ResourceArns") or ["*"]:
            asked = iam_evaluator.EvalContext(
                principal_arn=arn,
                principal_type="User" if kind == "user" else "AssumedRole",
                principal_account=ACCOUNT,
                action=action,
                resource_arn=resource,
                region=REGION,
                service_context=context,
                principal_keys={"aws:username": name} if kind == "user" else {},
            )
            results.append(_result(action, resource, iam_evaluator.evaluate(asked, policies, *limits).decision))
    inner = f"<EvaluationResults>{''.join(results)}</EvaluationResults><IsTruncated>false</IsTruncated>"
    answer: Answer = iam._xml(200, f"{ACTION}Response", f"<{ACTION}Result>{inner}</{ACTION}Result>", ns="iam")
    return answer


def _context(request: Mapping[str, object]) -> Iterator[tuple[str, str | list[str]]]:
    """Yield the condition keys, in lower case as the evaluator has them, each with its value or values."""
    number = 1
    while key := iam._p(request, f"ContextEntries.member.{number}.ContextKeyName"):
        values = _members(request, f"ContextEntries.member.{number}.ContextKeyValues")
        is_list = str(iam._p(request, f"ContextEntries.member.{number}.ContextKeyType")).endswith("List")
        yield str(key).lower(), values if is_list or len(values) != 1 else values[0]
        number += 1


def _members(request: Mapping[str, object], name: str) -> list[str]:
    found, number = [], 1
    while value := iam._p(request, f"{name}.member.{number}"):
        found.append(str(value))
        number += 1
    return found


def _result(action: str, resource: str, decision: str) -> str:
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(resource)}"
        f"</EvalResourceName><EvalDecision>{DECISIONS[decision]}</EvalDecision>"
        "<MatchedStatements></MatchedStatements><MissingContextValues></MissingContextValues></member>"
    )
