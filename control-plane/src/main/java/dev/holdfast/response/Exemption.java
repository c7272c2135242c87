package dev.holdfast.response;

import dev.holdfast.core.Environment;
import dev.holdfast.core.Selector;
import java.time.Instant;

/// Devices that must never be isolated automatically, by labels that only operators set.
public record Exemption(long id, Environment environment, Selector which, String why, String actor, Instant at) {}
