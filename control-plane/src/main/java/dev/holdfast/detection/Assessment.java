package dev.holdfast.detection;

import java.util.List;

/// What an observation said, and what is to be remembered of it.
///
/// @param next becomes the device's baseline once the findings are committed
record Assessment(List<Finding> findings, Baseline next) {
    Assessment {
        findings = List.copyOf(findings);
    }
}
