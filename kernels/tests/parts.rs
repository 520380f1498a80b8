//! Buffers that lie together in one block: what they hold, how they join, and what may not be launched over them.

use kernels::reduce::{Reduce, ReduceOp};
use kernels::{Buffer, Device, Error};

fn devices() -> Vec<Device> {
    let mut devices = vec![Device::cpu(), Device::oracle()];
    if cfg!(feature = "gpu") {
        devices.push(Device::open_checked("gpu").expect("an adapter"));
    }
    devices
}

#[test]
fn parts_keep_to_themselves() {
    for device in devices() {
        let parts = device.zeros_together(&[3, 64, 65, 1]).unwrap();
        for (i, part) in parts.iter().enumerate() {
            device.write(part, &vec![i as f32; part.len()]).unwrap();
        }
        for (i, part) in parts.iter().enumerate() {
            assert_eq!(part.to_vec().unwrap(), vec![i as f32; part.len()]);
        }
        let joined = Buffer::join(&parts.iter().collect::<Vec<_>>()).unwrap();
        let all = joined.to_vec().unwrap();
        assert_eq!(all.len(), 5 * 64);
        assert_eq!(all[..4], [0.0; 4]);
        assert_eq!((all[64], all[127], all[128]), (1.0, 1.0, 2.0));
        assert_eq!(
            (all[192], all[193], all[256], all[257]),
            (2.0, 0.0, 3.0, 0.0)
        );
        assert_eq!(joined.first(130).to_vec().unwrap(), all[..130]);
        assert!(joined.same(&parts[2]) && !parts[0].same(&parts[1]));
    }
}

#[test]
fn only_neighbours_join() {
    for device in devices() {
        let parts = device.zeros_together(&[3, 5, 7]).unwrap();
        let alone = device.upload(&[1.0, 2.0]).unwrap();
        assert!(Buffer::join(&[&parts[0], &parts[2]]).is_none());
        assert!(Buffer::join(&[&parts[1], &parts[0]]).is_none());
        assert!(Buffer::join(&[&alone, &parts[0]]).is_none());
        assert!(Buffer::join(&[]).is_none());
        assert_eq!(Buffer::join(&[&alone]).unwrap().len(), 2);
        assert_eq!(Buffer::join(&[&parts[1], &parts[2]]).unwrap().len(), 128);
    }
}

#[test]
fn launches_read_and_write_parts() {
    for device in devices() {
        let reads = device.zeros_together(&[70, 4]).unwrap();
        let writes = device.zeros_together(&[2, 1]).unwrap();
        device.write(&reads[1], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        let sum = |shape| Reduce::new(ReduceOp::Sum, shape);
        device
            .launch(&sum([1, 4, 1]), &[&reads[1]], &[&writes[1]])
            .unwrap();
        device
            .launch(&sum([2, 2, 1]), &[&reads[1]], &[&writes[0]])
            .unwrap();
        assert_eq!(writes[1].to_vec().unwrap(), [10.0]);
        assert_eq!(writes[0].to_vec().unwrap(), [3.0, 7.0]);
        let error = device.launch(&sum([1, 2, 1]), &[&writes[0]], &[&writes[1]]);
        assert!(matches!(error, Err(Error::Aliased { .. })), "{error:?}");
    }
}

#[test]
fn clones_are_told_from_others() {
    let parts = Device::cpu().zeros_together(&[3, 5]).unwrap();
    assert!(!parts[0].is_shared());
    let clone = parts[0].clone();
    assert!(parts[0].is_shared() && !parts[1].is_shared());
    drop(clone);
    assert!(!parts[0].is_shared());
}
