/// Baselines, detectors, rules, findings.
@NullMarked
package dev.holdfast.detection;

import org.jspecify.annotations.NullMarked;
