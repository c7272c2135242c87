package dev.holdfast.ca;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/// Standings in arrays are those that went in.
class CertificateStandingsTest {
    private static final long SEED = Long.getLong("holdfast.seed", System.nanoTime() % 1_000_000_000L);
    private static final List<CertificateState> STATES = List.of(CertificateState.values());
    private static final List<RevocationReason> REASONS = List.of(RevocationReason.values());
    private final Random random = new Random(SEED);
    private final CertificateStandings standings = new CertificateStandings();

    private Serial serial() {
        return Serial.of(new BigInteger(random.nextInt(1, 129), random).max(BigInteger.ONE));
    }

    private CertificateStanding standing(int number) {
        CertificateState state = STATES.get(1 + random.nextInt(4));
        Optional<Instant> endedAt = random.nextBoolean()
                ? Optional.of(Instant.ofEpochSecond(1_700_000_000L + random.nextInt(1_000_000)))
                : Optional.empty();
        return new CertificateStanding(
                "device-e" + random.nextInt(5) + "-1",
                random.nextInt(10) == 0
                        ? Optional.empty()
                        : Optional.of(DeviceRef.of("e" + random.nextInt(5), "meter-" + number)),
                state,
                random.nextBoolean(),
                endedAt,
                random.nextBoolean() ? Optional.of(REASONS.get(random.nextInt(REASONS.size()))) : Optional.empty());
    }

    @Test
    void whatWentInComesOutAndNothingElse() {
        Map<Serial, CertificateStanding> expected = new HashMap<>();
        for (int i = 0; i < 50_000; i++) {
            Serial serial = serial();
            CertificateStanding standing = standing(i);
            if (expected.putIfAbsent(serial, standing) == null) {
                standings.load(serial, standing);
            }
        }
        assertThat(standings.size()).as("seed %d", SEED).isEqualTo(expected.size());
        expected.forEach((serial, standing) -> {
            assertThat(standings.find(serial)).as("seed %d, %s", SEED, serial).contains(standing);
            standing.device().ifPresent(device -> {
                assertThat(standings.find(device, serial)).contains(standing);
                assertThat(standings.find(DeviceRef.of("e9", device.id().value()), serial))
                        .isEmpty();
                assertThat(standings.find(DeviceRef.of(device.environment().value(), "another"), serial))
                        .isEmpty();
            });
        });
        for (int i = 0; i < 50_000; i++) {
            Serial serial = serial();
            if (!expected.containsKey(serial)) {
                assertThat(standings.find(serial)).isEmpty();
            }
        }
        assertThat(standings.find(new Serial("0"))).isEmpty();
        assertThat(standings.find(new Serial("1".repeat(40))))
                .as("longer than ours")
                .isEmpty();
    }

    @Test
    void aReaderNeverSeesHalfOfAChange() throws Exception {
        List<Serial> known = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            Serial serial = serial();
            known.add(serial);
            standings.load(serial, counting(serial));
        }
        AtomicBoolean done = new AtomicBoolean();
        AtomicReference<String> fault = new AtomicReference<>("");
        Thread reader = Thread.ofPlatform().start(() -> {
            while (!done.get()) {
                for (Serial serial : known) {
                    CertificateStanding found = standings.find(serial).orElse(null);
                    if (found == null
                            || !found.device().equals(counting(serial).device())
                            || (found.state() == CertificateState.REVOKED)
                                    != found.endedAt().isPresent()) {
                        fault.set(serial + ": " + found);
                    }
                }
            }
        });
        for (int i = 0; i < 100_000; i++) {
            Serial more = serial();
            standings.load(more, counting(more));
            if (i % 1_000 == 0) {
                Serial ended = known.get(i / 1_000 % known.size());
                standings.load(
                        ended,
                        new CertificateStanding(
                                "a",
                                counting(ended).device(),
                                CertificateState.REVOKED,
                                false,
                                Optional.of(Instant.ofEpochSecond(1_700_000_000L)),
                                Optional.empty()));
            }
        }
        done.set(true);
        reader.join();
        assertThat(fault.get()).isEmpty();
    }

    private static CertificateStanding counting(Serial serial) {
        return new CertificateStanding(
                "a",
                Optional.of(DeviceRef.of(
                        "e1",
                        "m-"
                                + serial.hex()
                                        .substring(0, Math.min(8, serial.hex().length())))),
                CertificateState.CURRENT,
                false,
                Optional.empty(),
                Optional.empty());
    }
}
