//! Somebody who can write to the database changes the trail: verification names what they did (SEC-431).

use crate::audit::{key, link, sign, verify, write};
use crate::support::World;
use jeton_store::Location;
use jeton_store::audit_verify::Broken;
use jeton_token::signing_key::SigningKey;

/// Runs statements past the store, as a thief of the database's password would.
async fn tamper(world: &World, sql: &str) {
    let (location, sql) = (world.location.clone(), sql.to_owned());
    let work = move || match location {
        Location::Sqlite { path } => {
            let connection = rusqlite::Connection::open(path).unwrap();
            connection
                .busy_timeout(std::time::Duration::from_secs(5))
                .unwrap();
            connection.execute_batch(&sql).unwrap();
        }
        Location::Postgres { url } => postgres::Client::connect(&url, postgres::NoTls)
            .unwrap()
            .batch_execute(&sql)
            .unwrap(),
        Location::SqliteMemory => panic!("nothing to change"),
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

/// Twelve records, signed at the eighth.
async fn trail(world: &mut World) -> SigningKey {
    let key = key();
    write(world, 4).await;
    sign(world, &key).await;
    write(world, 4).await;
    link(world).await;
    assert_eq!(verify(world, &key).await.unwrap().last, 12);
    key
}

/// Moves all places from `from` on by one, to make room.
fn shift(from: u32) -> String {
    format!(
        "UPDATE audit SET sequence = -sequence - 1 WHERE sequence >= {from}; \
         UPDATE audit SET sequence = -sequence WHERE sequence < 0; \
         UPDATE audit_heads SET sequence = sequence + 1;"
    )
}

both! {
    // SEC-431
    async fn an_edit_is_found_in_every_column(world: World) {
        let key = trail(&mut world).await;
        for (column, value) in [
            ("event", "'user.enabled'"),
            ("actor", "'mallory'"),
            ("object", "'mallory'"),
            ("record", "'{\"v\":1,\"r\":{}}'"),
            ("at", "at + 1"),
            ("salt", "NULL"),
            ("erased", "hash"),
            ("hash", "salt"),
        ] {
            let before = format!("CREATE TABLE kept AS SELECT * FROM audit; UPDATE audit SET {column} = {value} WHERE sequence = 3");
            tamper(&world, &before).await;
            if column != "hash" {
                assert_eq!(verify(&world, &key).await, Err(Broken::Edited(3)), "{column}");
            } else {
                assert!(world.store.audit_links(&world.tenant, 0, 10).await.is_err(), "not even a hash");
            }
            tamper(&world, "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept").await;
            assert!(verify(&world, &key).await.is_ok());
        }
    }

    // SEC-431, SEC-434: the hash of an erased body holds, whatever stands where the body was
    async fn a_text_written_into_an_erased_record_is_found(world: World) {
        let key = trail(&mut world).await;
        let occasion = world.occasion();
        world.store.delete_user(&world.tenant, world.user, occasion).await.unwrap();
        let [erasure] = &world.store.audit_erasures().await.unwrap()[..] else { panic!("one") };
        world.store.erase_audit(erasure.clone(), world.now).await.unwrap();
        assert_eq!(verify(&world, &key).await.unwrap().erased, 1);
        tamper(&world, "UPDATE audit SET actor = 'mallory' WHERE erased IS NOT NULL").await;
        assert!(matches!(verify(&world, &key).await, Err(Broken::Edited(1..=4))));
    }

    // SEC-431
    async fn a_removed_record_is_missed(world: World) {
        let key = trail(&mut world).await;
        tamper(&world, "DELETE FROM audit WHERE sequence = 5").await;
        assert_eq!(verify(&world, &key).await, Err(Broken::Removed(5)));
    }

    // SEC-431
    async fn a_record_put_in_between_is_found(world: World) {
        let key = trail(&mut world).await;
        let put = "INSERT INTO audit (tenant_id, id, at, event, actor, object, record, sequence, salt, hash) \
                   SELECT tenant_id, hash, at, event, 'mallory', object, record, 5, salt, hash FROM audit WHERE sequence = 4";
        tamper(&world, &format!("{} {}", shift(5), put.replace("hash, at", "salt, at"))).await;
        assert_eq!(verify(&world, &key).await, Err(Broken::Inserted(5)));
    }

    // SEC-431
    async fn a_record_put_behind_the_end_is_found(world: World) {
        let key = trail(&mut world).await;
        let put = "INSERT INTO audit (tenant_id, id, at, event, actor, object, record, sequence, salt, hash) \
                   SELECT tenant_id, salt, at, event, 'mallory', object, record, 13, salt, hash FROM audit WHERE sequence = 12";
        tamper(&world, put).await;
        assert!(matches!(verify(&world, &key).await, Err(Broken::Edited(13) | Broken::Inserted(13))));
    }

    // SEC-431
    async fn records_that_changed_places_are_found(world: World) {
        for (one, other) in [(3, 4), (2, 9), (11, 12)] {
            let mut world = World::new(&world.location, &format!("t{one}"), u64::from(one as u32)).await;
            let key = trail(&mut world).await;
            let of = format!("WHERE tenant_id = 't{one}' AND sequence =");
            let swap = format!(
                "UPDATE audit SET sequence = 1000 {of} {one}; UPDATE audit SET sequence = {one} {of} {other}; \
                 UPDATE audit SET sequence = {other} {of} 1000"
            );
            tamper(&world, &swap).await;
            assert_eq!(verify(&world, &key).await, Err(Broken::Reordered(one)), "{one} and {other}");
        }
    }

    // SEC-431
    async fn a_trail_that_was_cut_off_is_missed(world: World) {
        let key = trail(&mut world).await;
        tamper(&world, "DELETE FROM audit WHERE sequence > 10").await;
        assert_eq!(verify(&world, &key).await, Err(Broken::Truncated(11)));
        // The head is made to fit; what a checkpoint covers is missed all the same.
        let behind = "UPDATE audit_heads SET sequence = 6, hash = (SELECT hash FROM audit WHERE sequence = 6)";
        tamper(&world, &format!("DELETE FROM audit WHERE sequence > 6; {behind}")).await;
        assert_eq!(verify(&world, &key).await, Err(Broken::Truncated(7)));
        tamper(&world, "DELETE FROM audit").await;
        assert_eq!(verify(&world, &key).await, Err(Broken::Truncated(1)));
    }

    // SEC-431: whoever knows how the chain is made can make another one, but not sign it
    async fn a_chain_made_anew_is_not_the_one_that_was_signed(world: World) {
        let key = trail(&mut world).await;
        let again = "UPDATE audit SET actor = 'mallory' WHERE sequence = 3; \
                     UPDATE audit SET sequence = NULL, salt = NULL, hash = NULL; \
                     UPDATE audit_heads SET sequence = 0, hash = before_first, signed_sequence = 0";
        tamper(&world, again).await;
        link(&world).await;
        assert_eq!(verify(&world, &key).await, Err(Broken::Rewritten(1)));
    }

    // SEC-431
    async fn a_checkpoint_by_another_key_is_forged(world: World) {
        let key = trail(&mut world).await;
        world.store.sign_audit(&world.tenant, &crate::audit::key(), world.now).await.unwrap();
        assert_eq!(verify(&world, &key).await, Err(Broken::Forged(12)));
    }

    // SEC-431
    async fn a_checkpoint_of_another_place_or_tenant_is_forged(world: World) {
        let key = trail(&mut world).await;
        tamper(&world, "UPDATE audit_checkpoints SET sequence = 9").await;
        assert_eq!(verify(&world, &key).await, Err(Broken::Forged(9)));
        let mut other = World::new(&world.location, "other", 9).await;
        write(&mut other, 4).await;
        sign(&other, &key).await;
        let moved = "UPDATE audit_checkpoints SET jws = (SELECT jws FROM audit_checkpoints WHERE tenant_id = 'other'), sequence = 8";
        tamper(&world, moved).await;
        assert_eq!(verify(&world, &key).await, Err(Broken::Forged(8)));
    }

    // SEC-431
    async fn a_removed_checkpoint_is_missed(world: World) {
        let key = trail(&mut world).await;
        sign(&world, &key).await;
        tamper(&world, "DELETE FROM audit_checkpoints WHERE sequence = 12").await;
        assert_eq!(verify(&world, &key).await, Err(Broken::CheckpointRemoved(12)));
    }

    // SEC-431: what nothing inside a database can tell
    async fn a_checkpoint_kept_elsewhere_finds_a_database_that_was_put_back(world: World) {
        let key = trail(&mut world).await;
        let old = "CREATE TABLE old AS SELECT * FROM audit; CREATE TABLE old_heads AS SELECT * FROM audit_heads; \
                   CREATE TABLE old_points AS SELECT * FROM audit_checkpoints";
        tamper(&world, old).await;
        write(&mut world, 2).await;
        sign(&world, &key).await;
        let kept = world.store.newest_audit_checkpoint(&world.tenant).await.unwrap().unwrap().jws;
        let keys = [key.public_jwk().clone()];
        let of_kept = async || world.store.verify_audit(&world.tenant, &keys, Some(&kept)).await.unwrap();
        assert!(of_kept().await.is_ok());
        let back = "DELETE FROM audit; DELETE FROM audit_heads; DELETE FROM audit_checkpoints; \
                    INSERT INTO audit SELECT * FROM old; INSERT INTO audit_heads SELECT * FROM old_heads; \
                    INSERT INTO audit_checkpoints SELECT * FROM old_points";
        tamper(&world, back).await;
        assert!(verify(&world, &key).await.is_ok(), "nothing inside says so");
        assert_eq!(of_kept().await, Err(Broken::Truncated(13)));
        let edited = kept.replace('.', ".A");
        let forged = world.store.verify_audit(&world.tenant, &keys, Some(&edited)).await.unwrap();
        assert_eq!(forged, Err(Broken::Forged(0)));
    }
}
