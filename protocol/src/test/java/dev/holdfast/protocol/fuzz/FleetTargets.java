package dev.holdfast.protocol.fuzz;

import dev.holdfast.protocol.ceremony.KeyShare;
import dev.holdfast.protocol.ceremony.ShareFormatException;
import dev.holdfast.protocol.ddi.DdiAttributes;
import dev.holdfast.protocol.ddi.DdiException;
import dev.holdfast.protocol.ddi.DdiFeedback;
import dev.holdfast.protocol.ipfix.IpfixDecoder;
import dev.holdfast.protocol.ipfix.MalformedIpfixException;
import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.ManifestException;
import dev.holdfast.protocol.manifest.SignedManifest;
import dev.holdfast.protocol.pkcs8.Pbes2;
import dev.holdfast.protocol.pkcs8.SealedFormatException;
import dev.holdfast.protocol.senml.MalformedSenmlException;
import dev.holdfast.protocol.senml.Senml;
import dev.holdfast.protocol.syslog.MalformedSyslogException;
import dev.holdfast.protocol.syslog.OctetCounting;
import dev.holdfast.protocol.syslog.SyslogMessage;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.testkit.fuzz.FuzzTarget;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// What devices, gateways and operators' files say beside identity.
final class FleetTargets {
    private static final KeyPair KEY = StoredSeeds.key("manifest", Seeds::p256);
    private static final Manifest MANIFEST = new Manifest(
            "meter", List.of("rev-a"), "1.2.0", 3, new Manifest.Image("meter.img", 1_048_576, "ab".repeat(32)));
    private static final List<byte[]> FLOWS = Stream.of("plain", "milli", "nano", "bidirectional")
            .flatMap(name -> Seeds.hex("/ipfix/softflowd-" + name + ".hex").stream())
            .toList();

    private FleetTargets() {}

    static List<FuzzTarget> all() {
        Pbes2 sealing = new Pbes2(new byte[] {1}, new Pbes2.Cost(1 << 14, 8, 1), Seeds.RANDOM);
        return List.of(
                new FuzzTarget("ipfix", 4_000, FleetTargets::ipfix, FLOWS),
                new FuzzTarget(
                        "senml-json",
                        3_000,
                        FleetTargets::json,
                        List.of(Seeds.text(
                                "[{\"bn\":\"urn:dev:ops:m-1:\",\"bt\":1.7e9,\"bu\":\"kWh\",\"n\":\"kwh\",\"v\":1.2},"
                                        + "{\"n\":\"on\",\"vb\":true,\"t\":-5},{\"n\":\"x\",\"vs\":\"y\",\"s\":3}]"))),
                new FuzzTarget(
                        "senml-cbor",
                        3_000,
                        FleetTargets::cbor,
                        List.of(
                                HexFormat.of().parseHex("81a3006161016162" + "02fb3ff3333333333333"),
                                HexFormat.of().parseHex("82a2006161" + "0201a2006162" + "04f5"))),
                new FuzzTarget(
                        "ddi",
                        3_000,
                        FleetTargets::ddi,
                        List.of(
                                Seeds.text(
                                        "{\"status\":{\"execution\":\"closed\",\"result\":{\"finished\":\"success\"},"
                                                + "\"details\":[\"one\",\"two\"]}}"),
                                Seeds.text("{\"mode\":\"merge\",\"data\":{\"hw\":\"rev-a\"}}"))),
                new FuzzTarget(
                        "syslog",
                        3_000,
                        FleetTargets::syslog,
                        List.of(Seeds.text("<165>1 2026-06-01T22:14:15.003Z m-1 app 1 ID47 [a@1 b=\"c\\\"d\"] text"))),
                new FuzzTarget("octet-counting", 3_000, FleetTargets::counting, List.of(Seeds.text("5 abcde3 xyz1 a"))),
                new FuzzTarget(
                        "manifest-envelope",
                        1_500,
                        FleetTargets::envelope,
                        StoredSeeds.of("manifest-envelope", FleetTargets::envelopes)),
                new FuzzTarget(
                        "manifest-payload",
                        1_500,
                        FleetTargets::payload,
                        List.of(Seeds.text(
                                "{\"v\":1,\"model\":\"meter\",\"hardware\":[\"rev-a\"],\"version\":\"1.2.0\","
                                        + "\"securityCounter\":3,\"image\":{\"name\":\"m.img\",\"size\":1024,\"sha256\":\""
                                        + "ab".repeat(32) + "\"}}"))),
                new FuzzTarget(
                        "sealed-key",
                        StoredSeeds.of("sealed-key", () -> List.of(sealing.seal(new byte[] {1, 2, 3}))),
                        60,
                        300L << 20, // the most that a file may ask for, and that only an operator's file can
                        input -> {
                            try {
                                return sealing.open(input).length == 3;
                            } catch (SealedFormatException expected) {
                                return false;
                            }
                        }),
                new FuzzTarget(
                        "key-share", 2_000, FleetTargets::share, StoredSeeds.of("key-share", FleetTargets::shares)));
    }

    private static List<byte[]> envelopes() {
        return List.of(SignedManifest.sign(MANIFEST, KEY.getPrivate(), KEY.getPublic()));
    }

    private static List<byte[]> shares() {
        return KeyShare.split("0123abcd", KeyKind.EC_P256, true, 2, 3, new byte[32], Seeds.RANDOM).stream()
                .map(share -> Seeds.text(share.text()))
                .toList();
    }

    /// With templates known or not.
    private static boolean ipfix(byte[] input) throws MalformedIpfixException {
        IpfixDecoder decoder = new IpfixDecoder();
        boolean taken = false;
        for (int again = 0; again < 2; again++) {
            try {
                decoder.decode(input);
                taken = true;
            } catch (MalformedIpfixException expected) {
                Seeds.require(expected.getMessage() != null, "a refusal says why");
            }
            decoder.decode(FLOWS.getFirst());
        }
        return taken;
    }

    private static boolean json(byte[] input) {
        try {
            Senml.fromJson(input, 100, Seeds.NOW);
            return true;
        } catch (MalformedSenmlException expected) {
            return false;
        }
    }

    private static boolean cbor(byte[] input) {
        try {
            Senml.fromCbor(input, 100, Seeds.NOW);
            return true;
        } catch (MalformedSenmlException expected) {
            return false;
        }
    }

    private static boolean ddi(byte[] input) {
        boolean taken = false;
        try {
            DdiFeedback read = DdiFeedback.parse(input);
            taken = true;
            Seeds.require(read.details().length() <= DdiFeedback.MOST_DETAILS, "details are capped");
        } catch (DdiException expected) {
            Seeds.require(expected.getMessage() != null, "a refusal says why");
        }
        try {
            Seeds.require(DdiAttributes.parse(input).data().size() <= DdiAttributes.MOST, "attributes are capped");
            taken = true;
        } catch (DdiException expected) {
            Seeds.require(expected.getMessage() != null, "a refusal says why");
        }
        return taken;
    }

    private static boolean syslog(byte[] input) {
        try {
            SyslogMessage.parse(input);
            return true;
        } catch (MalformedSyslogException expected) {
            return false;
        }
    }

    /// In one piece or octet by octet, the messages are the same, and so is the end of it.
    private static boolean counting(byte[] input) {
        OctetCounting whole = new OctetCounting(8_192);
        OctetCounting single = new OctetCounting(8_192);
        List<byte[]> messages = new ArrayList<>();
        boolean broken = false;
        try {
            for (byte octet : input) {
                messages.addAll(single.feed(new byte[] {octet}));
            }
        } catch (MalformedSyslogException expected) {
            broken = true;
        }
        try {
            List<byte[]> together = whole.feed(input);
            Seeds.require(!broken, "broken in pieces and whole at once");
            Seeds.require(Arrays.deepEquals(together.toArray(), messages.toArray()), "the pieces make no difference");
            Seeds.require(single.isInside() == whole.isInside(), "the pieces make no difference to the end");
            return true;
        } catch (MalformedSyslogException expected) {
            Seeds.require(broken, "whole in pieces and broken at once");
            return false;
        }
    }

    private static boolean envelope(byte[] input) {
        try {
            return SignedManifest.verify(input, List.of(KEY.getPublic())).manifest() != null;
        } catch (ManifestException expected) {
            return false;
        }
    }

    /// Behind a signature that holds; what is read back and signed again says the same.
    private static boolean payload(byte[] input) throws ManifestException {
        byte[] type = Manifest.PAYLOAD_TYPE.getBytes(StandardCharsets.US_ASCII);
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        message.writeBytes(Seeds.text("DSSEv1 " + type.length + " "));
        message.writeBytes(type);
        message.writeBytes(Seeds.text(" " + input.length + " "));
        message.writeBytes(input);
        byte[] signature = Crypto.sign(KEY.getPrivate(), "SHA256withECDSA", message.toByteArray());
        Base64.Encoder base64 = Base64.getEncoder();
        byte[] envelope = Seeds.text("{\"payloadType\":\"" + Manifest.PAYLOAD_TYPE + "\",\"payload\":\""
                + base64.encodeToString(input) + "\",\"signatures\":[{\"keyid\":\"\",\"sig\":\""
                + base64.encodeToString(signature) + "\"}]}");
        SignedManifest read;
        try {
            read = SignedManifest.verify(envelope, List.of(KEY.getPublic()));
        } catch (ManifestException expected) {
            return false;
        }
        byte[] again = SignedManifest.sign(read.manifest(), KEY.getPrivate(), KEY.getPublic());
        Seeds.require(
                SignedManifest.verify(again, List.of(KEY.getPublic()))
                        .manifest()
                        .equals(read.manifest()),
                "decode(encode(x)) = x");
        return true;
    }

    private static boolean share(byte[] input) throws ShareFormatException {
        KeyShare read;
        try {
            read = KeyShare.parse(Seeds.text(input));
        } catch (ShareFormatException expected) {
            return false;
        }
        Seeds.require(KeyShare.parse(read.text()).text().equals(read.text()), "decode(encode(x)) = x");
        return true;
    }
}
