//! The first values of every sampler, to the bit: a change here changes the results of every spec and seed, and must be
//! meant.

use blis_sim::dist::Dist;
use blis_sim::random::{Draw, Key, Kind, Purpose};

use crate::families::{continuous, discrete};

/// Draws of both directions and one far away.
const KEYS: [(u64, u64); 4] = [(0, 0), (0, 1), (1, 0), (999_999, u64::MAX)];

fn key() -> Key {
    Key::new(42, Kind::Client, "users", Purpose::Think)
}

#[test]
fn the_words_of_a_draw_are_the_committed_ones() {
    let found = KEYS.map(|(index, ordinal)| {
        let mut draw = key().draw(index, ordinal);
        [draw.bits(), draw.bits(), key().identity(index, ordinal)]
    });
    assert_eq!(found, WORDS, "{found:#018x?}");
}

#[test]
fn the_units_of_a_draw_are_the_committed_ones() {
    let found = KEYS.map(|(index, ordinal)| {
        let draw = || -> Draw { key().draw(index, ordinal) };
        [
            draw().unit().to_bits(),
            draw().open_unit().to_bits(),
            draw().below(1_000_003),
        ]
    });
    assert_eq!(found, UNITS, "{found:#018x?}");
}

#[test]
fn the_values_of_every_sampler_are_the_committed_ones() {
    let discrete = discrete().into_iter().map(|(name, dist, _)| (name, dist));
    let found: Vec<(&str, [u64; 4])> = continuous()
        .into_iter()
        .chain(discrete)
        .map(|(name, dist)| {
            (
                name,
                KEYS.map(|(index, ordinal)| bits(&dist, index, ordinal)),
            )
        })
        .collect();
    assert_eq!(found, SAMPLES, "{found:#018x?}");
}

/// Draws that leave the fast path of the ziggurats: the first of each kind among the ordinals.
#[test]
fn the_edges_and_tails_of_the_ziggurats_are_the_committed_ones() {
    let exponential = Dist::exponential(1.0).expect("exponential");
    let lognormal = Dist::lognormal_median_sigma(1.0, 1.0).expect("lognormal");
    let far = |dist: &Dist, bound: f64| {
        (0..100_000)
            .map(|ordinal| dist.sample(&mut key().draw(3, ordinal)))
            .find(|&sample| sample > bound)
            .map_or(0, f64::to_bits)
    };
    // Beyond 7.697 and exp(3.654) lie the tails; the sums go over edges too.
    let sum = |dist: &Dist| {
        (0..10_000)
            .map(|ordinal| dist.sample(&mut key().draw(4, ordinal)))
            .sum::<f64>()
    };
    let found = [
        far(&exponential, 7.7),
        far(&lognormal, 38.7),
        sum(&exponential).to_bits(),
        sum(&lognormal).to_bits(),
    ];
    assert_eq!(found, EDGES, "{found:#018x?}");
}

fn bits(dist: &Dist, index: u64, ordinal: u64) -> u64 {
    dist.sample(&mut key().draw(index, ordinal)).to_bits()
}

const WORDS: [[u64; 3]; 4] = [
    [
        0x54c6_f752_61b6_1395,
        0xd0ae_611b_cff5_af31,
        0x1cfe_d361_540e_d990,
    ],
    [
        0x1d54_af39_9f8d_6a21,
        0x82a8_6c48_2b80_9e7d,
        0x2613_27dc_5bb2_faf0,
    ],
    [
        0x7d6d_b998_3717_2016,
        0x7095_55fd_0d16_443a,
        0x657e_e843_43a0_a389,
    ],
    [
        0xe582_4c3a_d7ab_b7ab,
        0x1fbf_7b37_d363_6b22,
        0x6eb8_2710_e3be_09f9,
    ],
];
const UNITS: [[u64; 3]; 4] = [
    [
        0x3fd5_31bd_d498_6d84,
        0x3fd5_31bd_d498_6d86,
        0x0000_0000_0005_0d99,
    ],
    [
        0x3fbd_54af_399f_8d68,
        0x3fbd_54af_399f_8d68,
        0x0000_0000_0001_bf8d,
    ],
    [
        0x3fdf_5b6e_660d_c5c8,
        0x3fdf_5b6e_660d_c5ca,
        0x0000_0000_0007_79e4,
    ],
    [
        0x3fec_b049_875a_f576,
        0x3fec_b049_875a_f577,
        0x0000_0000_000d_ae0a,
    ],
];
const EDGES: [u64; 4] = [
    0x4021_ecb8_e930_4e8b,
    0x404b_4f57_7e23_92de,
    0x40c3_a750_8581_45a5,
    0x40d0_52ae_71e6_aed2,
];
const SAMPLES: [(&str, [u64; 4]); 32] = [
    (
        "exponential",
        [
            0x4151_ee8a_3646_d6da,
            0x414f_322e_cdb7_50dc,
            0x4173_1543_2d8f_8060,
            0x4164_17f5_545f_00a7,
        ],
    ),
    (
        "uniform",
        [
            0x4150_78eb_b7d4_640c,
            0x4145_60af_0387_89e4,
            0x4154_b66e_2919_0592,
            0x415f_91ad_036e_8367,
        ],
    ),
    (
        "erlang 1",
        [
            0x4151_ee8a_3646_d6da,
            0x414f_322e_cdb7_50dc,
            0x4173_1543_2d8f_8060,
            0x4164_17f5_545f_00a7,
        ],
    ),
    (
        "erlang 3",
        [
            0x4169_7e5b_4576_14d1,
            0x4152_3dda_2728_81e1,
            0x4165_28e4_a697_46bc,
            0x4156_7a96_a771_188b,
        ],
    ),
    (
        "erlang 4",
        [
            0x4165_abc9_f00b_3dac,
            0x414b_beab_741b_d01b,
            0x4161_1157_43b7_7f1a,
            0x4156_a095_15c4_c7a0,
        ],
    ),
    (
        "erlang 5",
        [
            0x415c_85c7_4c6c_34eb,
            0x4164_254f_e214_97f2,
            0x416e_51d3_19c1_472c,
            0x4154_2fb2_b24c_212d,
        ],
    ),
    (
        "erlang 50",
        [
            0x4161_bb58_53a0_13e9,
            0x4163_b06d_6010_4638,
            0x4166_8923_de1f_79ac,
            0x4160_197c_d1f6_2230,
        ],
    ),
    (
        "gamma, shape 0.2",
        [
            0x40d9_7898_89ac_610e,
            0x4154_4290_1de2_8242,
            0x4170_786c_53c5_2c13,
            0x411c_af53_816e_be21,
        ],
    ),
    (
        "gamma, shape 0.9",
        [
            0x4149_082c_83ca_7909,
            0x416f_1569_d461_cec1,
            0x4180_2c9a_b5aa_d86b,
            0x414e_7c45_ada7_f0cd,
        ],
    ),
    (
        "gamma, shape 1",
        [
            0x414b_2dd7_a292_4ca8,
            0x4161_7453_a4ac_10c1,
            0x4176_0eed_f394_ec99,
            0x4130_6151_df6e_67ac,
        ],
    ),
    (
        "gamma, shape 2.5",
        [
            0x416d_ab7a_dcc0_d3cc,
            0x4178_bbc9_8844_5153,
            0x4185_ec79_ed12_9863,
            0x4161_3b3c_41e2_773b,
        ],
    ),
    (
        "gamma, cv 0.05",
        [
            0x4162_9eeb_0590_861d,
            0x4163_519d_8b63_693f,
            0x4164_4869_091e_fcb5,
            0x4162_033a_31d6_e9cf,
        ],
    ),
    (
        "gamma, cv 2",
        [
            0x4113_9e65_81dc_8c13,
            0x4178_cf11_1f27_d370,
            0x4192_7cc6_42bb_e49c,
            0x4145_20d3_87c9_5415,
        ],
    ),
    (
        "weibull, shape 0.5",
        [
            0x4140_dbc3_1062_7396,
            0x4139_82fb_4318_1693,
            0x4183_17b6_abad_fcb4,
            0x4165_2b12_273d_f9ad,
        ],
    ),
    (
        "weibull, cv 0.3",
        [
            0x4161_3e7d_afcd_298c,
            0x4160_9bd2_d8ec_b5a5,
            0x4169_7861_0bfc_948e,
            0x4165_6dea_e67d_4e8b,
        ],
    ),
    (
        "weibull, cv 2",
        [
            0x4135_d772_8b5e_40a2,
            0x4130_e491_2748_7ea2,
            0x4173_b1e8_5451_133c,
            0x4158_27bc_b0d6_647b,
        ],
    ),
    (
        "lognormal, cv 0.8",
        [
            0x4155_86ed_c4e3_5a26,
            0x4162_0b3e_ea3f_15f9,
            0x4172_0ca8_e253_f6e4,
            0x414b_289f_c8b1_f00a,
        ],
    ),
    (
        "lognormal, median and p95",
        [
            0x41de_4a9b_1e22_28b8,
            0x41ec_210c_38cc_1922,
            0x4200_2481_fcb9_a142,
            0x41d1_7089_409b_844f,
        ],
    ),
    (
        "lognormal, median and sigma",
        [
            0x4160_fe71_92b2_2640,
            0x4164_6b69_3dc9_928f,
            0x416a_2091_2b78_1f84,
            0x415c_da79_2804_448f,
        ],
    ),
    (
        "hyperexponential, cv 1",
        [
            0x4177_b7b1_bff8_4b61,
            0x4160_a0fe_b521_f2d4,
            0x4167_af8b_bffe_97b0,
            0x4150_b386_edd7_a431,
        ],
    ),
    (
        "hyperexponential, cv 3",
        [
            0x4169_0a0e_ea61_6b96,
            0x4151_8e3a_a984_bc91,
            0x4159_0174_aab6_fdd9,
            0x4141_a1cb_4525_cd0c,
        ],
    ),
    (
        "hyperexponential, three branches",
        [
            0x4142_f95a_fff9_d5e7,
            0x412a_9b31_21cf_eaed,
            0x4132_f2d6_3332_12f3,
            0x4170_b386_edd7_a431,
        ],
    ),
    (
        "pareto, shape 1.5",
        [
            0x4143_f365_3785_0770,
            0x4140_8c50_d208_6f54,
            0x4147_e6c1_800d_d07a,
            0x4161_4c4b_9ead_55fe,
        ],
    ),
    (
        "pareto, shape 1",
        [
            0x4136_9713_a971_c9f8,
            0x4131_3053_d0a4_370f,
            0x413d_5a47_893d_eb5f,
            0x415f_6b72_4d57_8fcb,
        ],
    ),
    (
        "pareto, shape 0.4",
        [
            0x4142_6f2d_c0e2_4f4b,
            0x4134_042d_507b_6b82,
            0x4150_3fc2_7a52_05d4,
            0x418c_61ee_9b18_864e,
        ],
    ),
    (
        "pareto, mean",
        [
            0x4159_0786_c79a_44dc,
            0x4156_0872_3ef9_9416,
            0x415c_4f9f_8358_1803,
            0x416d_3a4e_fca1_da93,
        ],
    ),
    (
        "normal",
        [
            0x415f_19d1_c3f3_cd6f,
            0x4165_2795_8519_8cb8,
            0x416c_ad3c_8d0b_4a34,
            0x4155_1ad7_4bfc_d315,
        ],
    ),
    (
        "normal, wide",
        [
            0x4189_f5a3_2534_5327,
            0x4171_574c_b31f_cfb4,
            0x4186_c63f_8875_2b21,
            0x4132_41d0_35db_c248,
        ],
    ),
    (
        "normal, above its mean",
        [
            0x4170_99b7_b711_710d,
            0x416d_4f84_8ff4_e1b3,
            0x416f_13d7_b04e_1cc1,
            0x4171_07f0_5f7f_a87f,
        ],
    ),
    (
        "normal, narrow",
        [
            0x415f_078a_c70f_85c2,
            0x4165_acc6_e65f_efe7,
            0x4162_7c6e_8acd_d543,
            0x4160_4661_abc9_e962,
        ],
    ),
    (
        "equally likely",
        [
            0x412e_8480_0000_0000,
            0x412e_8480_0000_0000,
            0x4146_e360_0000_0000,
            0x4161_2a88_0000_0000,
        ],
    ),
    (
        "weighted",
        [
            0x413e_8480_0000_0000,
            0x0000_0000_0000_0000,
            0x413e_8480_0000_0000,
            0x415a_b3f0_0000_0000,
        ],
    ),
];
