package dev.holdfast.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.telemetry.Observation;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What devices say, as it is taken in: clocks that are wrong, text that wants to be more, and noise.
class MessageCodecTest {
    private static final DeviceRef METER = DeviceRef.of("development", "m-1");
    private static final Instant NOW = Instant.parse("2026-03-02T06:00:00Z");
    private static final long SEED = Long.getLong("holdfast.seed", 20260302L);

    private static byte[] octets(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static List<Observation.Measurement> measured(String payload) throws MalformedMessageException {
        return MessageCodec.telemetry(METER, octets(payload), NOW);
    }

    @ParameterizedTest
    @ValueSource(strings = {"268435456", "1000000000", "4102444800", "1772431501", "99999999999", "-5e9"})
    void aTimeThatCannotBeRightIsTheTimeOfArrival(String said) throws Exception {
        assertThat(measured("[{\"n\":\"kwh\",\"t\":" + said + ",\"v\":1}]"))
                .singleElement()
                .satisfies(m -> assertThat(m.measuredAt()).isEqualTo(NOW));
    }

    @Test
    void aTimeThatCanBeRightIsKept() throws Exception {
        Instant yesterday = NOW.minus(Duration.ofDays(1));
        assertThat(measured("[{\"n\":\"kwh\",\"t\":" + yesterday.getEpochSecond() + ",\"v\":1}]"))
                .singleElement()
                .satisfies(m -> assertThat(m.measuredAt()).isEqualTo(yesterday));
        Instant ahead = NOW.plusSeconds(60);
        assertThat(measured("[{\"n\":\"kwh\",\"t\":" + ahead.getEpochSecond() + ",\"v\":1}]"))
                .singleElement()
                .satisfies(m -> assertThat(m.measuredAt()).isEqualTo(ahead));
    }

    /// A device that woke up in 1970 and sends what it gathered has a bad clock, not a bad message.
    @Test
    void manyReadingsOfAWrongClockAreAllTaken() throws Exception {
        assertThat(measured("[{\"n\":\"kwh\",\"t\":1000000010,\"v\":1},{\"n\":\"kwh\",\"t\":1000000070,\"v\":2}]"))
                .extracting(m -> m.values().get("kwh"))
                .containsExactly(1.0, 2.0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e300", "-1e300", "1e19", "NaN", "Infinity", "\"now\""})
    void aTimeThatIsNoneIsRefusedOrTheTimeOfArrival(String said) {
        try {
            assertThat(measured("[{\"n\":\"kwh\",\"t\":" + said + ",\"v\":1}]"))
                    .allSatisfy(m -> assertThat(m.measuredAt()).isEqualTo(NOW));
        } catch (MalformedMessageException refused) {
            assertThat(refused).hasMessageContaining("SenML");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "two\\r\\nlines",
                "\\u001b[2Jcleared",
                "\\u202egnirts",
                "a\\u0000b",
                "\\u2028x",
                "\\u009b31m",
                "\\ud800",
                "\\u200bhidden"
            })
    void aLogLineIsOneLineOfVisibleText(String text) throws Exception {
        Observation.LogLine line =
                MessageCodec.log(METER, octets("{\"v\":1,\"severity\":\"info\",\"text\":\"" + text + "\"}"), NOW);
        assertThat(line.text().codePoints())
                .noneMatch(c -> Character.isISOControl(c)
                        || Character.getType(c) == Character.FORMAT
                        || Character.getType(c) == Character.SURROGATE
                        || c == 0x2028
                        || c == 0x2029);
    }

    @Test
    void markupStaysTextForWhoeverShowsIt() throws Exception {
        String markup = "<img src=x onerror=alert(1)>";
        assertThat(MessageCodec.log(METER, octets("{\"v\":1,\"severity\":\"info\",\"text\":\"" + markup + "\"}"), NOW)
                        .text())
                .isEqualTo(markup);
        assertThatThrownBy(() -> MessageCodec.event(METER, octets("{\"v\":1,\"name\":\"" + markup + "\"}"), NOW))
                .isInstanceOf(MalformedMessageException.class);
    }

    /// Nothing but an observation or that one exception comes of any octets.
    @Test
    void noiseIsMalformedAndNothingElse() {
        Random random = new Random(SEED);
        List<String> models = List.of(
                "{\"kwh\":1.5,\"v\":230}",
                "[{\"bn\":\"m-1:\",\"bt\":1772431200,\"n\":\"kwh\",\"v\":1},{\"n\":\"x\",\"vs\":\"y\"}]",
                "{\"v\":1,\"severity\":\"info\",\"text\":\"hello\"}",
                "{\"v\":1,\"revision\":7,\"settings\":{\"a\":\"b\"}}",
                "{\"v\":1,\"name\":\"boot\",\"details\":{\"firmware\":\"1.2.0\"}}");
        int taken = 0;
        for (int i = 0; i < 40_000; i++) {
            byte[] payload = octets(models.get(random.nextInt(models.size())));
            for (int changes = random.nextInt(4); changes >= 0; changes--) {
                payload[random.nextInt(payload.length)] = (byte) random.nextInt(256);
            }
            if (random.nextInt(4) == 0) {
                payload = java.util.Arrays.copyOf(payload, random.nextInt(payload.length + 1));
            }
            taken += isTaken(payload, i) ? 1 : 0;
        }
        assertThat(taken).isPositive();
    }

    private static boolean isTaken(byte[] payload, int which) {
        try {
            switch (which % 4) {
                case 0 -> MessageCodec.telemetry(METER, payload, NOW);
                case 1 -> MessageCodec.log(METER, payload, NOW);
                case 2 -> MessageCodec.config(METER, payload, NOW);
                default -> BootReports.firmware(MessageCodec.event(METER, payload, NOW));
            }
            return true;
        } catch (MalformedMessageException refused) {
            return false;
        }
    }
}
