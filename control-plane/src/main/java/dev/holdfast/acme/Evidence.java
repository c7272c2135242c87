package dev.holdfast.acme;

import dev.holdfast.profiles.CertificateProfile.Attestation;

/// What an attestation has shown: that this key is in the device, by this sort of evidence.
///
/// @param keyFingerprint SHA-256 of the SubjectPublicKeyInfo, hexadecimal
public record Evidence(String keyFingerprint, Attestation kind) {}
