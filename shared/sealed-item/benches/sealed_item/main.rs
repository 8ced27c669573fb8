//! Times sealing and opening, and in the same run the work that every implementation of the format must do
//! (`make bench`).
//!
//! - `item`: this crate, with the data key at hand.
//! - `primitives`: the same HKDF, AES-256-GCM over header and frames, and SHA-256 over the item's identity, by direct
//!   calls of the crypto library. It lays out no bytes and allocates no buffer.
//! - `gcm`: AES-256-GCM over the plaintext in one call, with the key already set up. It writes to a new vector, as an
//!   answer must.
//! - `item, fresh data key`: the same as `item`, plus wrapping the data key with RSA-4096 (sealing), or checking what
//!   KMS returned (opening).

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

mod primitives;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA384, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sealed_item::kms_rsa_keyring::unwrap_payload;
use sealed_item::{
    EncryptedDataKey, EncryptionContext, ItemIdentity, ItemSealingParameters, PlaintextDataKey, SealedItem,
    WrappingPublicKey, seal_item,
};
use zeroize::Zeroizing;

const KEY_ARN: &str = "arn:aws:kms:us-east-2:222222222222:key/mrk-0123456789abcdef0123456789abcdef";
const SIZES: [usize; 4] = [64, 1 << 10, 64 << 10, 1 << 20];

/// Made anew for each item, as each request does from what the caller sent.
fn identity(context: &BTreeMap<String, String>) -> ItemIdentity {
    ItemIdentity::new("account-1/password", context)
}

fn encryption_context() -> EncryptionContext {
    EncryptionContext::new([
        ("latchkey:data-key-id", "dky_0123456789abcdef"),
        ("latchkey:format-version", "1"),
        ("latchkey:vault-id", "vlt_0123456789abcdef"),
        ("latchkey:workspace-id", "wsp_0123456789abcdef"),
    ])
    .unwrap()
}

fn gcm_key() -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[0x42; 32]).unwrap())
}

fn bare_gcm(key: &LessSafeKey, plaintext: &[u8]) -> Vec<u8> {
    let mut out = vec![0; plaintext.len() + 16];
    let (ciphertext, tag) = out.split_at_mut(plaintext.len());
    let nonce = Nonce::assume_unique_for_key([1; 12]);
    key.seal_out_of_place_scatter(nonce, Aad::empty(), plaintext, ciphertext, &[], tag)
        .unwrap();
    out
}

fn bare_gcm_open(key: &LessSafeKey, sealed: &[u8]) -> Vec<u8> {
    let (ciphertext, tag) = sealed.split_last_chunk::<16>().unwrap();
    let mut out = vec![0; ciphertext.len()];
    let nonce = Nonce::assume_unique_for_key([1; 12]);
    key.open_separate_gather(nonce, Aad::empty(), ciphertext, tag, &mut out)
        .unwrap();
    out
}

fn benches(criterion: &mut Criterion) {
    let data_key = PlaintextDataKey::from_bytes(Zeroizing::new([0x42; 32]));
    let private_key = PrivateDecryptingKey::generate(KeySize::Rsa4096).unwrap();
    let der: PublicKeyX509Der<'_> = private_key.public_key().as_der().unwrap();
    let public_key = WrappingPublicKey::from_der(der.as_ref()).unwrap();
    let encryption_context = encryption_context();
    let wrapped = public_key.wrap(&encryption_context, &data_key).unwrap();
    let encrypted_data_key = EncryptedDataKey::kms_rsa(KEY_ARN, wrapped).unwrap();
    let parameters = ItemSealingParameters {
        data_key: &data_key,
        encrypted_data_key: &encrypted_data_key,
        encryption_context: &encryption_context,
    };
    let kms_plaintext = [digest(&SHA384, &encryption_context.serialize()).as_ref(), &[0x42; 32]].concat();
    let key = gcm_key();
    let context = BTreeMap::from([("owner".to_owned(), "ann".to_owned())]);

    let mut group = criterion.benchmark_group("seal");
    group
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    for size in SIZES {
        let plaintext = vec![0x17; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("item", size), |bencher| {
            bencher.iter(|| seal_item(&parameters, &identity(&context), black_box(&plaintext)).unwrap());
        });
        group.bench_function(BenchmarkId::new("primitives", size), |bencher| {
            let mut buffer = plaintext.clone();
            bencher.iter(|| primitives::seal(black_box(&mut buffer)));
        });
        group.bench_function(BenchmarkId::new("gcm", size), |bencher| {
            bencher.iter(|| bare_gcm(&key, black_box(&plaintext)));
        });
        group.bench_function(BenchmarkId::new("item, fresh data key", size), |bencher| {
            bencher.iter(|| {
                let data_key = PlaintextDataKey::generate().unwrap();
                let wrapped = public_key.wrap(&encryption_context, &data_key).unwrap();
                let fresh = ItemSealingParameters {
                    data_key: &data_key,
                    encrypted_data_key: &EncryptedDataKey::kms_rsa(KEY_ARN, wrapped).unwrap(),
                    encryption_context: &encryption_context,
                };
                seal_item(&fresh, &identity(&context), black_box(&plaintext)).unwrap()
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("open");
    group
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    for size in SIZES {
        let plaintext = vec![0x17; size];
        let sealed = seal_item(&parameters, &identity(&context), &plaintext).unwrap();
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("item", size), |bencher| {
            bencher.iter(|| {
                let item = SealedItem::parse(black_box(&sealed)).unwrap();
                item.open(&identity(&context), &data_key).unwrap()
            });
        });
        group.bench_function(BenchmarkId::new("primitives", size), |bencher| {
            let sealed = primitives::sealed(&plaintext);
            let mut plaintext = vec![0; size];
            bencher.iter(|| primitives::open(black_box(&sealed), &mut plaintext));
        });
        group.bench_function(BenchmarkId::new("gcm", size), |bencher| {
            let sealed = bare_gcm(&key, &plaintext);
            bencher.iter(|| bare_gcm_open(&key, black_box(&sealed)));
        });
        group.bench_function(BenchmarkId::new("item, fresh data key", size), |bencher| {
            bencher.iter(|| {
                let item = SealedItem::parse(black_box(&sealed)).unwrap();
                let payload = Zeroizing::new(kms_plaintext.clone());
                let data_key = unwrap_payload(item.encryption_context(), payload).unwrap();
                item.open(&identity(&context), &data_key).unwrap()
            });
        });
    }
    group.finish();
    criterion.bench_function("wrap/RSA-4096", |bencher| {
        bencher.iter(|| public_key.wrap(&encryption_context, &data_key).unwrap());
    });
    criterion.bench_function("primitives/HKDF", |bencher| bencher.iter(primitives::hkdf));
}

criterion_group!(all, benches);
criterion_main!(all);
