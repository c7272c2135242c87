package dev.holdfast.protocol.senml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SenmlTest {
    private static final Instant NOW = Instant.parse("2026-03-02T06:00:00Z");

    private static List<SenmlRecord> json(String pack) throws MalformedSenmlException {
        return Senml.fromJson(pack.getBytes(StandardCharsets.UTF_8), 100, NOW);
    }

    @Test
    void readsTheExampleOfSection513() throws Exception {
        List<SenmlRecord> records = json("""
                [{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,
                  "n":"voltage","u":"V","v":120.1},
                 {"n":"current","t":-5,"v":1.2},
                 {"n":"current","t":-4,"v":1.3}]""");
        assertThat(records)
                .extracting(SenmlRecord::name)
                .containsExactly(
                        "urn:dev:ow:10e2073a0108006:voltage",
                        "urn:dev:ow:10e2073a0108006:current",
                        "urn:dev:ow:10e2073a0108006:current");
        assertThat(records.get(0).time()).isEqualTo(Instant.parse("2010-06-08T18:01:16.001Z"));
        assertThat(records.get(1).time()).isEqualTo(Instant.parse("2010-06-08T18:01:11.001Z"));
        assertThat(records.get(0).unit()).contains("V");
        assertThat(records.get(1).unit()).contains("A");
        assertThat(records.get(2).value()).isEqualTo(OptionalDouble.of(1.3));
    }

    @Test
    void readsCborWithTheIntegerLabelsOfSection6() throws Exception {
        byte[] pack = HexFormat.of()
                .parseHex("82a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b00106223614120"
                        + "050067766f6c7461676501615602fb405e066666666666"
                        + "a3006763757272656e74062402f93e00");
        List<SenmlRecord> records = Senml.fromCbor(pack, 100, NOW);
        assertThat(records).hasSize(2);
        assertThat(records.get(0).name()).isEqualTo("urn:dev:ow:10e2073a0108006:voltage");
        assertThat(records.get(0).value()).isEqualTo(OptionalDouble.of(120.1));
        assertThat(records.get(1).value()).isEqualTo(OptionalDouble.of(1.5));
        assertThat(records.get(1).time()).isEqualTo(records.get(0).time().minusSeconds(5));
    }

    @Test
    void timesBelow2To28AreRelativeToNow() throws Exception {
        assertThat(json("[{\"n\":\"a\",\"t\":-60,\"v\":1}]").getFirst().time()).isEqualTo(NOW.minusSeconds(60));
        assertThat(json("[{\"n\":\"a\",\"v\":1}]").getFirst().time()).isEqualTo(NOW);
    }

    @Test
    void baseValueAndBaseSumAreAdded() throws Exception {
        SenmlRecord record =
                json("[{\"bn\":\"x\",\"bv\":20,\"bs\":100,\"v\":1.5,\"s\":5}]").getFirst();
        assertThat(record.value()).isEqualTo(OptionalDouble.of(21.5));
        assertThat(record.sum()).isEqualTo(OptionalDouble.of(105));
    }

    @Test
    void textBooleansAndDataAreNoNumbers() throws Exception {
        List<SenmlRecord> records =
                json("[{\"n\":\"a\",\"vs\":\"on\"},{\"n\":\"b\",\"vb\":true},{\"n\":\"c\",\"vd\":\"aGk\"}]");
        assertThat(records).allMatch(r -> r.value().isEmpty());
        assertThat(records.get(0).text()).contains("on");
        assertThat(records.get(1).bool()).contains(true);
    }

    @Test
    void unknownFieldsAreSkippedUnlessTheyMustBeUnderstood() throws Exception {
        assertThat(json("[{\"n\":\"a\",\"v\":1,\"x\":{\"y\":[1,2]}}]")).hasSize(1);
        assertThatThrownBy(() -> json("[{\"n\":\"a\",\"v\":1,\"x_\":1}]")).isInstanceOf(MalformedSenmlException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "[",
                "[1]",
                "[{]",
                "[{\"v\":1}]",
                "[{\"n\":\"a\"}]",
                "[{\"n\":\"a\",\"v\":\"1\"}]",
                "[{\"n\":\"a\",\"v\":1e999}]",
                "[{\"n\":\"a\",\"v\":NaN}]",
                "[{\"n\":\"a\",\"v\":1,\"vs\":\"x\"}]",
                "[{\"n\":\"a b\",\"v\":1}]",
                "[{\"n\":\"-a\",\"v\":1}]",
                "[{\"bver\":11,\"n\":\"a\",\"v\":1}]",
                "[{\"bver\":0,\"n\":\"a\",\"v\":1}]",
                "[{\"n\":\"a\",\"v\":1}] x",
                "[{\"n\":\"a\",\"t\":1e300,\"v\":1}]",
                "[{\"n\":\"a\",\"v\":1}",
                "[{\"bv\":1e308,\"n\":\"a\",\"v\":1e308}]"
            })
    void whatIsNoPackIsRefused(String pack) {
        assertThatThrownBy(() -> json(pack)).isInstanceOf(MalformedSenmlException.class);
    }

    @Test
    void aPackOfTooManyRecordsIsRefused() {
        String pack = "[" + "{\"n\":\"a\",\"v\":1},".repeat(101) + "{\"n\":\"a\",\"v\":1}]";
        assertThatThrownBy(() -> json(pack)).isInstanceOf(MalformedSenmlException.class);
    }

    @Test
    void anyOctetsAreEitherAPackOrMalformed() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] good = "[{\"bn\":\"a:\",\"bt\":1e9,\"n\":\"b\",\"v\":1.5,\"t\":-3,\"u\":\"V\"}]"
                .getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 20_000; i++) {
            byte[] octets = good.clone();
            for (int n = 1 + random.nextInt(6); n > 0; n--) {
                octets[random.nextInt(octets.length)] = (byte) random.nextInt(256);
            }
            byte[] noise = new byte[random.nextInt(40)];
            random.nextBytes(noise);
            for (byte[] pack : List.of(octets, noise)) {
                try {
                    Senml.fromJson(pack, 10, NOW);
                } catch (MalformedSenmlException expected) {
                    // refused, as it should be
                } catch (RuntimeException e) {
                    throw new AssertionError(
                            "seed " + seed + " " + HexFormat.of().formatHex(pack), e);
                }
                try {
                    Senml.fromCbor(pack, 10, NOW);
                } catch (MalformedSenmlException expected) {
                    // refused, as it should be
                } catch (RuntimeException e) {
                    throw new AssertionError(
                            "seed " + seed + " CBOR " + HexFormat.of().formatHex(pack), e);
                }
            }
        }
    }
}
