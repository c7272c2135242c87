package dev.holdfast.identity;

import dev.holdfast.profiles.CertificateProfile.Attestation;
import java.util.Optional;

/// Who asks for a certificate, by what right, and over what; the same for every protocol.
///
/// @param profile by which it is asked for (EST label, ACME directory...); empty where none is named: `device`
///     for a first certificate, the certificate's own for a renewal
/// @param channelBound whether the proof of possession was seen to be bound to the TLS channel (RFC 9266)
/// @param attested what fresh evidence `attestation` has verified that the requested key is in the device it
///     says
/// @param protocol as journal and console write it: `EST`, `CMP`
/// @param remoteAddress as our socket saw it
public record Applicant(
        Optional<String> profile,
        Credential credential,
        boolean channelBound,
        Attestation attested,
        String protocol,
        String remoteAddress) {

    /// One that has shown nothing but its credential.
    public static Applicant of(String protocol, Credential credential, String remoteAddress) {
        return new Applicant(Optional.empty(), credential, false, Attestation.NONE, protocol, remoteAddress);
    }

    /// As this one, by that profile.
    public Applicant by(String name) {
        return new Applicant(Optional.of(name), credential, channelBound, attested, protocol, remoteAddress);
    }
}
