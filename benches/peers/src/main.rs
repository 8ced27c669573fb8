//! Times sealing and opening with the AWS Encryption SDK for Rust and, in the same run, with sealed-item. run.py starts
//! it with a folder of RSA keys. Prints one line of JSON for each measurement.

mod caching;

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_esdk::client::Client;
use aws_esdk::material_providers::client::Client as MaterialProviders;
use aws_esdk::material_providers::types::cryptographic_materials_manager::CryptographicMaterialsManagerRef;
use aws_esdk::material_providers::types::keyring::KeyringRef;
use aws_esdk::material_providers::types::material_providers_config::MaterialProvidersConfig;
use aws_esdk::material_providers::types::{EsdkAlgorithmSuiteId, PaddingScheme};
use aws_esdk::types::aws_encryption_sdk_config::AwsEncryptionSdkConfig;
use sealed_item::{
    EncryptedDataKey, EncryptionContext, ItemIdentity, ItemSealingParameters, PlaintextDataKey, SealedItem,
    WrappingPublicKey, seal_item,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const KEY_ARN: &str = "arn:aws:kms:us-east-2:222222222222:key/mrk-0123456789abcdef0123456789abcdef";
const CONTEXT: [(&str, &str); 2] = [("latchkey:vault-id", "vlt_1"), ("latchkey:workspace-id", "wsp_1")];
const SIZES: [usize; 4] = [64, 1 << 10, 64 << 10, 1 << 20];
const LONG_ENOUGH: Duration = Duration::from_millis(1500);

fn report(peer: &str, operation: &str, size: usize, each: Duration) {
    let microseconds = each.as_nanos() as f64 / 1000.0;
    println!(r#"{{"peer": "{peer}", "operation": "{operation}", "size": {size}, "microseconds": {microseconds:.3}}}"#);
}

/// Reports the fastest of several batches, because slower ones were disturbed.
macro_rules! time {
    ($peer:expr, $operation:expr, $size:expr, $body:expr) => {{
        let start = Instant::now();
        $body;
        let batch = (Duration::from_millis(20).as_nanos() / start.elapsed().as_nanos().max(1)).clamp(1, 10_000) as u32;
        let (all, mut best) = (Instant::now(), Duration::MAX);
        while all.elapsed() < LONG_ENOUGH {
            let start = Instant::now();
            for _ in 0..batch {
                black_box($body);
            }
            best = best.min(start.elapsed() / batch);
        }
        report($peer, $operation, $size, best);
    }};
}

fn ours(public_key_der: &[u8]) -> Outcome<()> {
    let encryption_context = EncryptionContext::new(CONTEXT)?;
    let data_key = PlaintextDataKey::generate()?;
    let public_key = WrappingPublicKey::from_der(public_key_der)?;
    let wrap = |data_key: &PlaintextDataKey| -> Outcome<EncryptedDataKey> {
        Ok(EncryptedDataKey::kms_rsa(
            KEY_ARN,
            public_key.wrap(&encryption_context, data_key)?,
        )?)
    };
    let encrypted_data_key = wrap(&data_key)?;
    let parameters = ItemSealingParameters {
        data_key: &data_key,
        encrypted_data_key: &encrypted_data_key,
        encryption_context: &encryption_context,
    };
    let identity = ItemIdentity::new("item-1", &BTreeMap::new());
    for size in SIZES {
        let plaintext = vec![0x17; size];
        time!(
            "sealed-item, data key in hand",
            "seal",
            size,
            seal_item(&parameters, &identity, &plaintext)?
        );
        time!("sealed-item, fresh data key", "seal", size, {
            let data_key = PlaintextDataKey::generate()?;
            let encrypted_data_key = wrap(&data_key)?;
            let fresh = ItemSealingParameters {
                data_key: &data_key,
                encrypted_data_key: &encrypted_data_key,
                ..parameters
            };
            seal_item(&fresh, &identity, &plaintext)?
        });
        let sealed = seal_item(&parameters, &identity, &plaintext)?;
        time!("sealed-item, data key in hand", "open", size, {
            SealedItem::parse(&sealed)?.open(&identity, &data_key)?
        });
    }
    Ok(())
}

fn encryption_sdk() -> Outcome<(Client, MaterialProviders)> {
    Ok((
        Client::from_conf(AwsEncryptionSdkConfig::builder().build()?)?,
        MaterialProviders::from_conf(MaterialProvidersConfig::builder().build()?)?,
    ))
}

async fn kms_rsa_keyring(providers: &MaterialProviders, public_key_pem: Vec<u8>) -> Outcome<KeyringRef> {
    // Never called, because sealing needs only the public key.
    let config = aws_sdk_kms::Config::builder()
        .behavior_version(aws_sdk_kms::config::BehaviorVersion::latest())
        .region(aws_sdk_kms::config::Region::new("us-east-2"))
        .build();
    Ok(providers
        .create_aws_kms_rsa_keyring()
        .kms_key_id(KEY_ARN)
        .public_key(public_key_pem)
        .encryption_algorithm(aws_sdk_kms::types::EncryptionAlgorithmSpec::RsaesOaepSha256)
        .kms_client(aws_sdk_kms::Client::from_conf(config))
        .send()
        .await?)
}

async fn theirs(keys: &Path) -> Outcome<()> {
    let (client, providers) = encryption_sdk()?;
    let public_key = fs::read(keys.join("public.pem"))?;
    let kms_rsa = kms_rsa_keyring(&providers, public_key.clone()).await?;
    let raw_rsa = providers
        .create_raw_rsa_keyring()
        .key_namespace("latchkey")
        .key_name("bench")
        .padding_scheme(PaddingScheme::OaepSha256Mgf1)
        .public_key(public_key)
        .private_key(fs::read(keys.join("private.pem"))?)
        .send()
        .await?;
    let default = providers
        .create_default_cryptographic_materials_manager()
        .keyring(raw_rsa.clone())
        .send()
        .await?;
    let caching = CryptographicMaterialsManagerRef::from(caching::CachingManager::new(default));
    let context: HashMap<_, _> = CONTEXT.map(|(key, value)| (key.to_owned(), value.to_owned())).into();

    for size in SIZES {
        let plaintext = vec![0x17; size];
        for (peer, keyring) in [
            ("aws-esdk, KMS RSA keyring", &kms_rsa),
            ("aws-esdk, raw RSA keyring", &raw_rsa),
        ] {
            time!(
                peer,
                "seal",
                size,
                encrypt(&client, &plaintext, &context, Manager::Keyring(keyring)).await?
            );
        }
        let manager = || Manager::Materials(&caching);
        let peer = "aws-esdk, raw RSA keyring, caching manager";
        time!(
            peer,
            "seal",
            size,
            encrypt(&client, &plaintext, &context, manager()).await?
        );
        let sealed = encrypt(&client, &plaintext, &context, manager()).await?;
        time!(peer, "open", size, {
            let request = client
                .decrypt()
                .ciphertext(sealed.clone())
                .materials_manager(caching.clone());
            request.encryption_context(context.clone()).send().await?
        });
        time!("aws-esdk, raw RSA keyring", "open", size, {
            let request = client.decrypt().ciphertext(sealed.clone()).keyring(raw_rsa.clone());
            request.encryption_context(context.clone()).send().await?
        });
    }
    Ok(())
}

enum Manager<'a> {
    Keyring(&'a KeyringRef),
    Materials(&'a CryptographicMaterialsManagerRef),
}

async fn encrypt(
    client: &Client,
    plaintext: &[u8],
    context: &HashMap<String, String>,
    manager: Manager<'_>,
) -> Outcome<Vec<u8>> {
    let request = client
        .encrypt()
        .plaintext(plaintext)
        .encryption_context(context.clone())
        .algorithm_suite_id(EsdkAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKey);
    let request = match manager {
        Manager::Keyring(keyring) => request.keyring(keyring.clone()),
        Manager::Materials(materials) => request.materials_manager(materials.clone()),
    };
    Ok(request.send().await?.ciphertext.ok_or("no ciphertext")?.into_inner())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Outcome<()> {
    let folder = std::env::args().nth(1).ok_or("a folder of keys")?;
    ours(&fs::read(Path::new(&folder).join("public.der"))?)?;
    theirs(Path::new(&folder)).await
}
