package dev.holdfast.rollover;

import java.time.Instant;

/// One person's word that a root goes although devices are missing.
///
/// @param person as [dev.holdfast.core.Actor#text] writes it
/// @param devices how many were missing then: the word is good for no more than these
public record Waiver(String person, String reason, long devices, Instant at) {}
