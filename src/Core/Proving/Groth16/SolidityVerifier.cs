using System.Globalization;
using System.Text;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>A Solidity contract that checks proofs of one key, and the arguments for it.</summary>
/// <remarks>
/// The contract takes what snarkjs' calldata gives: <c>verifyProof(uint256[2] a, uint256[2][2] b, uint256[2] c,
/// uint256[n] publics)</c>, G2's coordinates with the factor of u first, as the precompile of EIP-197 takes them.
/// </remarks>
public static class SolidityVerifier
{
    /// <summary>Public values that a contract can take: each is a constant point in its code.</summary>
    public const int MostPublics = 128;

    /// <summary>The contract's source.</summary>
    /// <exception cref="ProofException">More public values than a contract can take.</exception>
    public static string Write(VerificationKey key)
    {
        if (key.Publics > MostPublics)
        {
            throw new ProofException(
                $"A contract takes at most {MostPublics} public values, the key has {key.Publics}.");
        }

        var text = new StringBuilder();
        text.Append(Head);
        Constants(text, "ALPHA", key.Alpha1.X, key.Alpha1.Y);
        Constants(text, "BETA", key.Beta2);
        Constants(text, "GAMMA", key.Gamma2);
        Constants(text, "DELTA", key.Delta2);
        for (var i = 0; i < key.Ic.Count; i++)
        {
            Constants(text, string.Create(CultureInfo.InvariantCulture, $"IC{i}"), key.Ic[i].X, key.Ic[i].Y);
        }

        text.Append(CultureInfo.InvariantCulture, $$"""

                /// @return Whether the proof holds for these public values.
                function verifyProof(
                    uint256[2] calldata a, uint256[2][2] calldata b, uint256[2] calldata c,
                    uint256[{{Math.Max(1, key.Publics)}}] calldata publics
                ) external view returns (bool) {
                    uint256[2] memory x = [IC0_X, IC0_Y];

            """);
        if (key.Publics == 0)
        {
            text.Append("        publics;\n");
        }

        for (var i = 0; i < key.Publics; i++)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"        if (!_add(x, IC{i + 1}_X, IC{i + 1}_Y, publics[{i}])) return false;\n");
        }

        return text.Append(Tail).ToString().ReplaceLineEndings("\n");
    }

    /// <summary>The arguments of the contract's function, as snarkjs writes them: hexadecimal, to paste.</summary>
    public static string Calldata(Proof proof, ReadOnlySpan<UInt256> publics)
    {
        var values = new List<string>();
        foreach (ref readonly var value in publics)
        {
            values.Add(Hex(value));
        }

        return $"[{Hex(proof.A.X)}, {Hex(proof.A.Y)}],"
            + $"[[{Hex(proof.B.X.C1)}, {Hex(proof.B.X.C0)}],[{Hex(proof.B.Y.C1)}, {Hex(proof.B.Y.C0)}]],"
            + $"[{Hex(proof.C.X)}, {Hex(proof.C.Y)}],[{string.Join(',', values)}]";
    }

    private static string Hex(in Fq value) => Hex(value.ToUInt256());

    private static string Hex(in UInt256 value)
    {
        Span<byte> bytes = stackalloc byte[32];
        value.WriteBigEndian(bytes);
        return $"\"0x{Convert.ToHexStringLower(bytes)}\"";
    }

    private static void Constants(StringBuilder text, string name, in Fq x, in Fq y) => text
        .Append(CultureInfo.InvariantCulture, $"    uint256 private constant {name}_X = {x};\n")
        .Append(CultureInfo.InvariantCulture, $"    uint256 private constant {name}_Y = {y};\n");

    private static void Constants(StringBuilder text, string name, in AffinePoint<Fq2> point)
    {
        Constants(text, name + "_1", point.X.C1, point.Y.C1);
        Constants(text, name + "_0", point.X.C0, point.Y.C0);
    }

    private const string Head = """
        // SPDX-License-Identifier: MIT
        pragma solidity ^0.8.20;

        /// @title Checks Groth16 proofs of one circuit (curve BN254).
        /// @dev Precompiles: 6 adds points, 7 multiplies one, 8 checks a product of pairings (EIP-196, EIP-197).
        /// They refuse numbers that are not below P and points that are not in their groups.
        contract Groth16Verifier {
            uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
            uint256 private constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

        """;

    private const string Tail = """
                return _holds(a, b, c, x);
            }

            /// @dev x = x + scalar (px, py); false where the scalar is not below R.
            function _add(uint256[2] memory x, uint256 px, uint256 py, uint256 scalar) private view returns (bool ok) {
                if (scalar >= R) return false;
                uint256[4] memory room = [px, py, scalar, 0];
                assembly ("memory-safe") {
                    ok := staticcall(gas(), 7, room, 96, room, 64)
                }
                if (!ok) return false;
                (room[2], room[3]) = (x[0], x[1]);
                assembly ("memory-safe") {
                    ok := staticcall(gas(), 6, room, 128, x, 64)
                }
            }

            /// @dev e(-a, b) e(alpha, beta) e(x, gamma) e(c, delta) = 1
            function _holds(
                uint256[2] calldata a, uint256[2][2] calldata b, uint256[2] calldata c, uint256[2] memory x
            ) private view returns (bool ok) {
                if (a[1] >= P) return false;
                uint256[24] memory room = [
                    a[0], (P - a[1]) % P, b[0][0], b[0][1], b[1][0], b[1][1],
                    ALPHA_X, ALPHA_Y, BETA_1_X, BETA_0_X, BETA_1_Y, BETA_0_Y,
                    x[0], x[1], GAMMA_1_X, GAMMA_0_X, GAMMA_1_Y, GAMMA_0_Y,
                    c[0], c[1], DELTA_1_X, DELTA_0_X, DELTA_1_Y, DELTA_0_Y
                ];
                assembly ("memory-safe") {
                    ok := staticcall(gas(), 8, room, 768, room, 32)
                }
                ok = ok && room[0] == 1;
            }
        }

        """;
}
