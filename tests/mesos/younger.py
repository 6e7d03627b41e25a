"""What of the official schema is younger than the package that schema_test.py holds ours against, as Mesos 1.12 has it:
heartbeats of executors and agents (1.10), what a framework may say about offers (1.9, 1.11), draining (1.9)."""

ENUMS = {  # enum -> name -> number
    "mesos/mesos.proto": {"TaskStatus.Reason": {"REASON_AGENT_DRAINING": 34, "REASON_AGENT_REMOVED_BY_OPERATOR": 31}},
    "mesos/scheduler.proto": {
        "AttributeConstraint.Selector.PseudoattributeType": {"UNKNOWN": 0, "HOSTNAME": 1, "REGION": 2, "ZONE": 3},
        "Call.Type": {"UPDATE_FRAMEWORK": 17}},
    "mesos/executor.proto": {"Event.Type": {"HEARTBEAT": 9}, "Call.Type": {"HEARTBEAT": 4}},
}
FIELDS = {  # message -> field -> number, label, type, of
    "mesos/mesos.proto": {
        "FrameworkInfo": {
            "offer_filters": (13, "repeated", "message", "FrameworkInfo.OfferFiltersEntry"),
        },
        "FrameworkInfo.OfferFiltersEntry": {
            "key": (1, "optional", "string", ""),
            "value": (2, "optional", "message", "OfferFilters"),
        },
        "OfferFilters": {
            "min_allocatable_resources": (1, "optional", "message", "OfferFilters.MinAllocatableResources"),
        },
        "OfferFilters.ResourceQuantities": {
            "quantities": (1, "repeated", "message", "OfferFilters.ResourceQuantities.QuantitiesEntry"),
        },
        "OfferFilters.ResourceQuantities.QuantitiesEntry": {
            "key": (1, "optional", "string", ""),
            "value": (2, "optional", "message", "Value.Scalar"),
        },
        "OfferFilters.MinAllocatableResources": {
            "quantities": (1, "repeated", "message", "OfferFilters.ResourceQuantities"),
        },
    },
    "mesos/scheduler.proto": {
        "AttributeConstraint": {
            "selector": (1, "required", "message", "AttributeConstraint.Selector"),
            "predicate": (2, "required", "message", "AttributeConstraint.Predicate"),
        },
        "AttributeConstraint.Selector": {
            "pseudoattribute_type": (1, "optional", "enum", "AttributeConstraint.Selector.PseudoattributeType"),
            "attribute_name": (2, "optional", "string", ""),
        },
        "AttributeConstraint.Predicate": {
            "exists": (1, "optional", "message", "AttributeConstraint.Predicate.Exists"),
            "not_exists": (2, "optional", "message", "AttributeConstraint.Predicate.NotExists"),
            "text_equals": (3, "optional", "message", "AttributeConstraint.Predicate.TextEquals"),
            "text_not_equals": (4, "optional", "message", "AttributeConstraint.Predicate.TextNotEquals"),
            "text_matches": (5, "optional", "message", "AttributeConstraint.Predicate.TextMatches"),
            "text_not_matches": (6, "optional", "message", "AttributeConstraint.Predicate.TextNotMatches"),
        },
        "AttributeConstraint.Predicate.Exists": {},
        "AttributeConstraint.Predicate.NotExists": {},
        "AttributeConstraint.Predicate.TextEquals": {
            "value": (1, "required", "string", ""),
        },
        "AttributeConstraint.Predicate.TextNotEquals": {
            "value": (1, "required", "string", ""),
        },
        "AttributeConstraint.Predicate.TextMatches": {
            "regex": (1, "required", "string", ""),
        },
        "AttributeConstraint.Predicate.TextNotMatches": {
            "regex": (1, "required", "string", ""),
        },
        "OfferConstraints": {
            "role_constraints": (1, "repeated", "message", "OfferConstraints.RoleConstraintsEntry"),
        },
        "OfferConstraints.RoleConstraints": {
            "groups": (1, "repeated", "message", "OfferConstraints.RoleConstraints.Group"),
        },
        "OfferConstraints.RoleConstraints.Group": {
            "attribute_constraints": (1, "repeated", "message", "AttributeConstraint"),
        },
        "OfferConstraints.RoleConstraintsEntry": {
            "key": (1, "optional", "string", ""),
            "value": (2, "optional", "message", "OfferConstraints.RoleConstraints"),
        },
        "Call": {
            "update_framework": (19, "optional", "message", "Call.UpdateFramework"),
        },
        "Call.Subscribe": {
            "offer_constraints": (3, "optional", "message", "OfferConstraints"),
        },
        "Call.UpdateFramework": {
            "framework_info": (1, "required", "message", "/FrameworkInfo"),
            "suppressed_roles": (2, "repeated", "string", ""),
            "offer_constraints": (3, "optional", "message", "OfferConstraints"),
        },
    },
    "mesos/master.proto": {
        "Response.GetAgents.Agent": {
            "deactivated": (12, "optional", "bool", ""),
        },
    },
}
