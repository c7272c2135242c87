package dev.holdfast.profiles;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.profiles.CertificateProfile.Admittance;
import dev.holdfast.profiles.CertificateProfile.Attestation;
import dev.holdfast.profiles.CertificateProfile.CredentialKind;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdmittanceTest {
    private static Admittance of(String pattern) {
        return new Admittance(Set.of(CredentialKind.TOKEN), false, false, Attestation.NONE, List.of(pattern));
    }

    @ParameterizedTest
    @CsvSource({
        "*.gw.example.org, b.gw.example.org, a, true",
        "*.gw.example.org, a.b.gw.example.org, a, false",
        "*.gw.example.org, gw.example.org, a, false",
        "*.gw.example.org, B.gw.example.org, a, false",
        "ntp.example.org, ntp.example.org, a, true",
        "ntp.example.org, a.ntp.example.org, a, false",
        "{id}.gw.example.org, a.gw.example.org, a, true",
        "{id}.gw.example.org, b.gw.example.org, a, false",
        "{id}.gw.example.org, a.gw.example.org, A, false",
        "{id}.gw.example.org, a.b.gw.example.org, a.b, false",
        "{id}.gw.example.org, gw.example.org, '', false",
        "{id}.gw.example.org, a_b.gw.example.org, a_b, false",
    })
    void aNameIsCertifiedByOneOfThePatterns(String pattern, String name, String device, boolean allowed) {
        assertThat(of(pattern).allowsDns(name, device)).isEqualTo(allowed);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"*", "{id}", "*.*.org", "a.{id}.org", "x{id}.org", "{ID}.org", "{id}.{id}.org", "a..org", ""})
    void whatIsNoPatternIsRefused(String pattern) {
        assertThatThrownBy(() -> of(pattern)).hasMessageContaining("not a pattern of DNS names");
    }

    @Test
    void aNameThatIsNoneIsNeverCertified() {
        for (String name : List.of("*.gw.example.org", "{id}.gw.example.org", "-a.gw.example.org", "", ".")) {
            assertThat(of("*.gw.example.org").allowsDns(name, "a")).as(name).isFalse();
        }
    }
}
